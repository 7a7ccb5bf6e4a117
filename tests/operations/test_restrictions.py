"""The couriers that are switched off or limited, with who decided so, when and why."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from couriers.models import Courier
from couriers.models.rollout import CourierRollout
from couriers.operations.rollouts import change_rollout, restrictions
from tests.support.commands import run_json
from tests.support.factories import CompanyFactory, make_staff
from tests.support.rollouts import roll_out


def test_a_courier_that_all_may_book_with_is_not_restricted(
    account: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert restrictions() == []


def test_a_limited_courier_says_since_when_by_whom_and_why(
    account: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    actor = make_staff()
    change_rollout(
        "toy", CourierRollout.PERCENTAGE, percentage=5, companies=[CompanyFactory().slug],
        actor=actor, reason="the first week",
    )  # fmt: skip
    with django_assert_num_queries(2):
        (found,) = restrictions()
    assert (found.courier.pk, found.is_off, found.by) == ("toy", False, actor.username)
    assert found.what == "takes new bookings of 5 per cent of all companies and 1 named company"
    assert found.reason == "the first week"
    assert found.since == Courier.objects.get().audit.get().at


def test_the_latest_decision_counts(account: Any) -> None:
    roll_out("companies", companies=[account.company.slug])
    run_json("courier_rollout", "toy", "--off", "--reason", "parcels are lost")
    (found,) = restrictions()
    assert (found.is_off, found.what) == (True, "takes no new bookings")
    assert found.reason == "parcels are lost"
    assert found.by.endswith("courier_rollout")


@pytest.mark.parametrize("change", [{"is_enabled": False}, {"rollout": "off"}])
def test_one_that_no_decision_is_known_of_is_restricted_all_the_same(
    account: Any, change: dict[str, Any]
) -> None:
    Courier.objects.update(**change)
    (found,) = restrictions()
    assert (found.is_off, found.since, found.by, found.reason) == (True, None, "", "")
