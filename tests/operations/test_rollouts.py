"""`manage.py courier_rollout`: it sets a roll-out, tells what it did, and may be run twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from couriers.models import AuditEntry, Courier
from couriers.models.rollout import bucket_of
from couriers.operations import rollouts
from couriers.operations.rollouts import count_enabled
from tests.support.commands import run_command, run_json
from tests.support.factories import CompanyFactory, CourierAccountFactory
from tests.support.rollouts import roll_out

WHY = ("--reason", "first day")


def test_a_canary_goes_from_named_companies_to_all_and_back(account: Any) -> None:
    first, second = account.company.slug, CompanyFactory().slug
    named = ("--company", second, first)
    steps = {
        ("--off",): ("off", 0, []),
        named: ("companies", 0, sorted([first, second])),
        ("--percentage", "10"): ("percentage", 10, sorted([first, second])),
        ("--percentage", "0"): ("percentage", 0, sorted([first, second])),
        ("--all",): ("all", 0, sorted([first, second])),
    }
    for given, after in steps.items():
        done = run_json("courier_rollout", "toy", *given, *WHY)
        assert done["changed"]
        assert tuple(done["after"].values()) == after
        again = run_json("courier_rollout", "toy", *given, *WHY)
        assert not again["changed"]
        assert again["before"] == again["after"] == done["after"]
    assert AuditEntry.objects.count() == len(steps)


def test_companies_may_be_given_at_once_or_one_by_one(account: Any) -> None:
    a, b = CompanyFactory().slug, CompanyFactory().slug
    run_json("courier_rollout", "toy", "--company", a, "--company", b, *WHY)
    assert not run_json("courier_rollout", "toy", "--company", b, a, *WHY)["changed"]
    run_json("courier_rollout", "toy", "--company", a, *WHY)
    assert [company.slug for company in Courier.objects.get().rollout_companies.all()] == [a]


def test_it_names_a_few_companies_and_counts_the_others(account: Any) -> None:
    slugs = [CompanyFactory(slug=f"pilot-{number}").slug for number in range(7)]
    said = run_command("courier_rollout", "toy", "--company", *slugs, *WHY)
    assert said.startswith(
        "the named companies: pilot-0, pilot-1, pilot-2, pilot-3, pilot-4 and 2 more (before: "
    )


def test_it_tells_how_many_companies_may_book(account: Any) -> None:
    for _ in range(40):
        CourierAccountFactory(company=CompanyFactory(), courier=account.courier)
    companies = [row.company_id for row in account.courier.accounts.all()]
    share = sum(bucket_of(company, "toy") < 30 for company in companies)
    done = run_json("courier_rollout", "toy", "--percentage", "30", *WHY)
    assert (done["enabled_companies"], done["companies_with_account"]) == (share, 41)
    assert 0 < share < 41
    said = run_command("courier_rollout", "toy", "--percentage", "30", *WHY)
    assert said == (
        "unchanged, 30 per cent of all companies, and those named: none; "
        f"{share} of 41 companies with an account may book with toy\n"
    )


def test_every_percentage_keeps_the_companies_of_the_one_before(account: Any) -> None:
    for _ in range(30):
        CourierAccountFactory(company=CompanyFactory(), courier=account.courier)
    reached = []
    for share in (0, 1, 5, 25, 50, 75, 100):
        roll_out("percentage", share)
        reached.append(count_enabled("toy")[0])
    assert reached == sorted(reached)
    assert (reached[0], reached[-1]) == (0, 31)


def test_the_audit_log_says_that_a_command_did_it(account: Any) -> None:
    run_json("courier_rollout", "toy", "--off", "--reason", " too many doubts ")
    entry = AuditEntry.objects.get()
    assert (entry.courier_id, entry.actor, entry.reason) == ("toy", None, "too many doubts")
    assert entry.details.pop("system_user")
    assert entry.details == {
        "before": {"rollout": "all", "percentage": 0, "companies": []},
        "after": {"rollout": "off", "percentage": 0, "companies": []},
        "command": "courier_rollout",
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("toy", "--percentage", "101", *WHY), "percentage: must be 0 to 100"),
        (("toy", "--percentage", "-1", *WHY), "percentage: must be 0 to 100"),
        (("toy", "--company", "nobody", *WHY), "'nobody': no company has this slug"),
        (("dhl", "--all", *WHY), "dhl"),
        (("ekart", "--all", *WHY), "run seed_couriers first"),
        (("toy", "--all", "--reason", " "), "reason: must have 1 to 500 characters"),
        (("toy", "--all", "--off", *WHY), "not allowed with"),
        (("toy", *WHY), "is required"),
        (("toy", "--all"), "--reason"),
    ],
)
def test_wrong_use_is_named_and_changes_nothing(
    account: Any, arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("courier_rollout", *arguments)
    assert Courier.objects.get(pk="toy").rollout == "all"
    assert not AuditEntry.objects.exists()


def test_more_named_companies_than_a_page_can_show_are_refused(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollouts, "MAX_NAMED", 1)
    slugs = [CompanyFactory().slug, CompanyFactory().slug]
    with pytest.raises(CommandError, match="enable more of them by a percentage"):
        call_command("courier_rollout", "toy", "--company", *slugs, *WHY)
