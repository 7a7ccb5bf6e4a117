"""StatusMapper: from (direction, type, word, code) to a neutral status, the most specific first."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couriers.contract.statuses import (
    OTHER_REASON,
    ReasonFacts,
    Status,
    StatusKey,
    StatusMapper,
    normalise,
    status_table,
)

S = Status
# Entries that all match a forward UD/In Transit with the code DLYDC-101, the most specific first.
RANKED: list[tuple[StatusKey, Status]] = [
    (("forward", "UD", "In Transit", "DLYDC-101"), S.LOST),
    (("forward", "", "In Transit", "DLYDC-101"), S.DAMAGED),
    (("", "UD", "In Transit", "DLYDC-101"), S.CANCELLED),
    (("", "", "In Transit", "DLYDC-101"), S.DELIVERED),
    (("forward", "UD", "", "DLYDC-101"), S.UNDELIVERED),
    (("", "", "", "DLYDC-101"), S.NOT_PICKED),
    (("forward", "UD", "In Transit", "DLYDC-*"), S.RTO_DELIVERED),
    (("", "", "", "DLYDC-*"), S.RTO_IN_TRANSIT),
    (("forward", "UD", "In Transit", "DLY*"), S.DELAYED),
    (("", "", "", "DLY*"), S.RTO_DELAYED),
    (("forward", "UD", "In Transit"), S.IN_TRANSIT),
    (("forward", "", "In Transit"), S.PICKED_UP),
    (("", "UD", "In Transit"), S.OUT_FOR_PICKUP),
    ("In Transit", S.OUT_FOR_DELIVERY),
    (("forward", "UD", ""), S.BOOKED),
    (("forward", "", ""), S.RTO_REQUESTED),
    (("", "UD", ""), S.RTO_FAILED),
]


@pytest.mark.parametrize("count", range(1, len(RANKED) + 1))
def test_the_most_specific_entry_wins_wherever_it_stands_in_the_table(count: int) -> None:
    entries = RANKED[-count:]
    shuffled = dict(random.Random(count).sample(entries, count))
    found = StatusMapper(shuffled).map(
        "in_transit", direction="forward", kind="ud", code="DLYDC-101"
    )
    assert found.status == entries[0][1]


@pytest.mark.parametrize(
    ("given_status", "status"),
    [
        ({"kind": "UD", "code": "DLYDC-101"}, S.DELAYED),
        ({"kind": "UD", "code": "DLY"}, S.DELAYED),
        ({"kind": "UD", "code": "DL"}, S.IN_TRANSIT),
        ({"kind": "UD", "code": "XDLY"}, S.IN_TRANSIT),
        ({"kind": "UD"}, S.IN_TRANSIT),
        ({"kind": "RT", "code": "DLYDC-101"}, None),
        ({"code": "DLYDC-101"}, None),
    ],
)
def test_a_beginning_of_a_code_matches_every_code_that_begins_so(
    given_status: dict[str, str], status: Status | None
) -> None:
    mapper = StatusMapper(
        {("", "UD", "In Transit", "DLY*"): S.DELAYED, ("", "UD", "In Transit"): S.IN_TRANSIT}
    )
    assert mapper.map("In Transit", **given_status).status == status


def test_a_beginning_that_ends_in_a_separator_does_not_match_a_longer_word() -> None:
    mapper = StatusMapper({("", "", "Pending", "EOD-*"): S.UNDELIVERED, "Pending": S.IN_TRANSIT})
    assert mapper.map("Pending", code="EOD-11").status == S.UNDELIVERED
    assert mapper.map("Pending", code="eod_11").status == S.UNDELIVERED
    assert mapper.map("Pending", code="EODX").status == S.IN_TRANSIT


@pytest.mark.parametrize("word", ["Out For Delivery", "out_for_delivery", "OUT-FOR-DELIVERY"])
@pytest.mark.parametrize("spelt", ["Out for Delivery", "out_for_delivery"])
def test_either_spelling_of_a_word_finds_an_entry_in_either_spelling(spelt: str, word: str) -> None:
    mapper = StatusMapper({("", "last-mile", spelt, "A-1"): S.OUT_FOR_DELIVERY})
    assert mapper.map(word, kind="LAST_MILE", code="a_1").status == S.OUT_FOR_DELIVERY


def test_what_was_given_is_kept_as_it_was_given() -> None:
    found = StatusMapper({}).map("Lost In Space", kind="X", code="c-9", reason="Aliens")
    assert found.status is None
    assert (found.courier_status, found.courier_type) == ("Lost In Space", "X")
    assert (found.courier_code, found.courier_reason) == ("c-9", "Aliens")


def test_a_type_that_the_table_does_not_pair_with_the_word_is_unknown() -> None:
    mapper = StatusMapper(
        {("", "DL", "Delivered"): S.DELIVERED, ("", "DL", "RTO"): S.RTO_DELIVERED}
    )
    assert mapper.map("Delivered", kind="DL").status == S.DELIVERED
    assert mapper.map("Delivered").status is None
    assert mapper.map("Delivered", kind="UD").status is None
    assert mapper.map("Dispatched", kind="DL").status is None


def test_a_reason_that_the_table_lacks_has_the_default() -> None:
    refused = ReasonFacts("refused", reattemptable=False)
    mapper = StatusMapper({}, {"EOD-6": refused})
    assert mapper.map("Pending", reason="eod_6").reason == refused
    other = mapper.map("Pending", reason="EOD-999").reason
    assert other == OTHER_REASON
    assert (OTHER_REASON.code, OTHER_REASON.reattemptable) == ("other", True)
    assert mapper.map("Pending").reason is None
    assert [mapper.knows_reason(word) for word in ("EOD_6", "", " ", "EOD-999")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_a_courier_may_have_a_default_reason_of_its_own() -> None:
    stays = ReasonFacts("stays", reattemptable=False)
    assert StatusMapper({}, default_reason=stays).map("x", reason="?").reason == stays


def test_an_entry_for_the_direction_decides_once_the_direction_is_known() -> None:
    mapper = StatusMapper(
        {"pickup_scheduled": S.PICKUP_SCHEDULED, ("reverse", "", "in_transit"): S.PICKED_UP}
        | {"in_transit": S.IN_TRANSIT, ("", "", "in_transit", "X*"): S.DELAYED}
    )
    moving = mapper.map("in_transit")
    assert moving.status == S.IN_TRANSIT
    assert mapper.in_direction(moving, "forward") == S.IN_TRANSIT
    assert mapper.in_direction(moving, "reverse") == S.PICKED_UP
    # A code is more specific than a direction.
    assert mapper.in_direction(mapper.map("in_transit", code="X1"), "reverse") == S.DELAYED
    assert mapper.in_direction(mapper.map("unheard"), "reverse") is None


def test_a_word_that_one_direction_alone_has_is_known_in_that_direction() -> None:
    mapper = StatusMapper({("reverse", "", "received"): S.DELIVERED})
    mapped = mapper.map("received")
    assert mapped.status is None
    assert mapper.in_direction(mapped, "reverse") == S.DELIVERED
    assert mapper.in_direction(mapped, "forward") is None


def test_entries_come_the_most_specific_first_and_map_to_their_own_status() -> None:
    mapper = StatusMapper(dict(random.Random(1).sample(RANKED, len(RANKED))))
    by_parts = {
        tuple(map(normalise, (*key, ""))) if isinstance(key, tuple) and len(key) == 3
        else tuple(map(normalise, key)) if isinstance(key, tuple)
        else ("", "", normalise(key), ""): status
        for key, status in RANKED
    }  # fmt: skip
    assert [by_parts[entry] for entry in mapper.entries()] == [status for _, status in RANKED]


PARTS = st.tuples(
    st.sampled_from(["", "forward", "reverse"]),
    st.sampled_from(["", "ud", "rt"]),
    st.sampled_from(["", "in transit", "pending"]),
    st.sampled_from(["", "a", "ab", "a*", "ab*", "abc*", "b"]),
)


def matches(entry: tuple[str, ...], given_parts: tuple[str, ...]) -> bool:
    """Whether an entry is for a status, written as the docstring of StatusMapper says it."""
    *parts, wanted = entry
    *others, code = given_parts
    fits = code.startswith(wanted[:-1]) if wanted.endswith("*") else wanted in ("", code)
    return fits and all(p in ("", o) for p, o in zip(parts, others, strict=True))


@given(
    st.dictionaries(PARTS, st.sampled_from(Status), max_size=12),
    st.tuples(
        st.sampled_from(["", "forward", "reverse"]),
        st.sampled_from(["", "ud", "rt", "x"]),
        st.sampled_from(["in transit", "pending", "x"]),
        st.sampled_from(["", "a", "ab", "abc", "abcd", "b", "x"]),
    ),
)
def test_the_look_ups_find_what_a_search_of_all_entries_finds(
    table: dict[StatusKey, Status], given_parts: tuple[str, str, str, str]
) -> None:
    mapper = StatusMapper(table)
    direction, kind, word, code = given_parts
    found = mapper.map(word, direction=direction, kind=kind, code=code).status
    searched = itertools.chain((e for e in mapper.entries() if matches(e, given_parts)), [None])
    first = next(searched)
    assert found == (None if first is None else table[first])


def test_the_code_of_a_failed_attempt_may_be_its_reason() -> None:
    absent = ReasonFacts("absent")
    table: dict[StatusKey, Status] = {
        "Pending": S.UNDELIVERED, "Not Picked": S.NOT_PICKED, "Delivered": S.DELIVERED,
    }  # fmt: skip
    mapper = StatusMapper(table, {"EOD-11": absent}, code_is_reason=True)
    for word in ("Pending", "Not Picked"):
        mapped = mapper.map(word, code="EOD-11")
        assert (mapped.reason, mapped.courier_reason) == (absent, "EOD-11")
    assert mapper.map("Delivered", code="EOD-11").reason is None
    assert mapper.map("Pending", code="X", reason="EOD-11").reason == absent
    assert StatusMapper(table, {"EOD-11": absent}).map("Pending", code="EOD-11").reason is None


def test_a_row_of_a_table_stands_for_several_words_and_codes() -> None:
    table = status_table((("UD", "Open|Closed", "A-1|B-*", "booked"), ("", "Lost", "", "lost")))
    assert table == {
        ("", "UD", "Open", "A-1"): S.BOOKED, ("", "UD", "Open", "B-*"): S.BOOKED,
        ("", "UD", "Closed", "A-1"): S.BOOKED, ("", "UD", "Closed", "B-*"): S.BOOKED,
        ("", "", "Lost", ""): S.LOST,
    }  # fmt: skip
