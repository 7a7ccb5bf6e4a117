"""The stable share of companies that a percentage of a roll-out includes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from couriers.models.rollout import CourierRollout, NotReached, bucket_of, not_reached

COMPANIES = st.integers(min_value=1, max_value=2**63 - 1)
PERCENTAGES = st.integers(min_value=0, max_value=100)


def includes(percentage: int, company: int, courier: str = "toy", *, named: bool = False) -> bool:
    reason = not_reached(
        CourierRollout.PERCENTAGE, percentage, company_id=company, courier=courier, is_named=named
    )
    return reason is None


def test_the_place_of_a_company_is_the_same_in_every_version() -> None:
    # Another hash would exchange the companies of every roll-out that is under way.
    assert [bucket_of(company, "toy") for company in range(1, 7)] == PLACES


PLACES = [1, 17, 18, 91, 29, 75]


@given(COMPANIES, st.booleans())
def test_raising_the_percentage_only_adds_companies(company: int, named: bool) -> None:
    included = [includes(share, company, named=named) for share in range(101)]
    assert included == sorted(included)
    assert (included[0], included[100]) == (False, True)


@given(COMPANIES, st.integers(min_value=1, max_value=100))
def test_a_named_company_is_in_every_percentage_above_nought(company: int, share: int) -> None:
    assert includes(share, company, named=True)


def test_a_percentage_includes_about_that_share_of_many_companies() -> None:
    places = Counter(bucket_of(company, "toy") for company in range(20_000))
    assert set(places) == set(range(100))
    for share in (1, 10, 50, 90):
        reached = sum(count for place, count in places.items() if place < share)
        assert abs(reached / 20_000 - share / 100) < 0.01


def test_another_courier_begins_with_other_companies() -> None:
    first = {company for company in range(2000) if includes(10, company)}
    second = {company for company in range(2000) if includes(10, company, "othertoy")}
    assert len(first & second) < len(first) / 2


@given(COMPANIES, PERCENTAGES, st.booleans())
def test_the_other_kinds_know_no_percentage(company: int, share: int, named: bool) -> None:
    reasons = {
        kind: not_reached(kind, share, company_id=company, courier="toy", is_named=named)
        for kind in (CourierRollout.OFF, CourierRollout.COMPANIES, CourierRollout.ALL)
    }
    assert reasons == {
        CourierRollout.OFF: NotReached.OFF,
        CourierRollout.COMPANIES: None if named else NotReached.NOT_NAMED,
        CourierRollout.ALL: None,
    }
