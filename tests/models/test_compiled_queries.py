"""Queries that keep their SQL: they read the rows as they are now, in every thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from couriers.models import Company, CourierAccount
from couriers.models.compiled import CompiledQuery, Slot
from tests.support.factories import CompanyFactory, CourierAccountFactory

BY_SLUG = CompiledQuery(Company, lambda: Company.objects.filter(slug=Slot("slug")))
WITH_COMPANY = CompiledQuery(
    CourierAccount,
    lambda: (
        CourierAccount.objects.select_related("company")
        .defer("login")
        .filter(company_id=Slot("company"))
        .annotate(state=F("company__state"))
    ),
)


def test_each_run_has_its_own_values_and_reads_the_rows_anew(db: None) -> None:
    first, second = CompanyFactory(), CompanyFactory()
    assert BY_SLUG.rows(slug=first.slug) == [first]
    assert BY_SLUG.rows(slug=second.slug) == [second]
    Company.objects.filter(pk=first.pk).update(name="Renamed")
    found = BY_SLUG.first(slug=first.slug)
    assert found is not None
    assert found.name == "Renamed"
    assert BY_SLUG.first(slug="nobody") is None


def test_a_value_is_never_part_of_the_sql(db: None) -> None:
    assert BY_SLUG.rows(slug="' OR true --") == []


def test_related_rows_annotations_and_deferred_fields_are_those_of_the_queryset(db: None) -> None:
    account: Any = CourierAccountFactory()
    WITH_COMPANY.rows(company=account.company_id)
    with CaptureQueriesContext(connection) as captured:
        (found,) = WITH_COMPANY.rows(company=account.company_id)
        assert (found.company.slug, found.state) == (account.company.slug, account.company.state)
    assert len(captured) == 1
    assert found.get_deferred_fields() == {"login"}
    assert found.login == account.login


def test_a_missing_value_and_none_are_refused(db: None) -> None:
    with pytest.raises(KeyError):
        BY_SLUG.rows()
    with pytest.raises(TypeError):
        BY_SLUG.rows(slug=None)


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_on_its_own_connection() -> None:
    company = CompanyFactory()
    BY_SLUG.rows(slug=company.slug)
    found: list[Any] = []

    def ask() -> None:
        with CaptureQueriesContext(connection) as captured:
            found.extend(BY_SLUG.rows(slug=company.slug))
            found.append(len(captured))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [company, 1]
