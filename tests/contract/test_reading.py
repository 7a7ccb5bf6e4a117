"""Answers are read tolerantly, and what cannot be read is named."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pydantic import Field

from couriers.contract.errors import NotDone, NotFound, Rejected, Unknown
from couriers.contract.masking import MASK
from couriers.contract.reading import (
    Answer,
    Flag,
    Grams,
    Identifier,
    IndiaTime,
    MillisecondsTime,
    OrDefault,
    Reader,
    Remark,
    RequiredId,
    Rupees,
    Text,
    amounts_in,
    named,
    parse_event,
    words_if_done,
)
from couriers.contract.receiver import MalformedEvent

READER = Reader("courier")
SECONDS = 1_793_400_000
AT = dt.datetime.fromtimestamp(SECONDS, dt.UTC)


class Part(Answer):
    id: RequiredId
    words: OrDefault[Text] = ""


class Whole(Answer):
    """One field of each type."""

    text: Text = "none"
    id: Identifier = ""
    flag: Flag = False
    remark: Remark = ""
    rupees: Rupees | None = None
    count: int = 0
    days: OrDefault[int | None] = None
    sent_at: MillisecondsTime | None = None
    scanned_at: IndiaTime | None = None
    renamed: Text = Field(default="", alias="_renamed")
    parts: list[Part] = []


def read(**fields: Any) -> Whole:
    return READER.parse(Whole, fields, "track")


def unread(body: Any, kind: type[Answer] = Whole) -> str:
    with pytest.raises(Unknown) as caught:
        READER.parse(kind, body, "track")
    assert (caught.value.courier, caught.value.operation) == ("courier", "track")
    return caught.value.message


def test_null_counts_as_missing_and_unknown_fields_are_ignored() -> None:
    answer = read(text=None, flag=None, rupees=None, parts=None, surprise=[1])
    assert answer == Whole()
    assert unread({"id": None}, Part) == "the answer cannot be read (id)"


@pytest.mark.parametrize(
    ("value", "text"), [(7, "7"), (1.5, "1.5"), ("a\x00b", "ab"), ("\ud800", "?")]
)
def test_a_text_may_be_a_number_and_can_be_stored(value: Any, text: str) -> None:
    assert read(text=value).text == text
    assert read(text=10**5000).text == ""  # which Python refuses to write


@pytest.mark.parametrize(
    ("value", "flag"),
    [
        (True, True), (1, True), (1.0, True), ("1", True), ("true", True), ("True", True),
        ("Y", True), (" y ", True), ("yes", True), ("SUCCESS", True), ("ok", True),
        (False, False), (0, False), ("0", False), ("false", False), ("N", False), ("no", False),
        ("Failure", False), ("Fail", False), ("ERROR", False),
    ],
)  # fmt: skip
def test_a_flag_may_be_a_word_or_a_number(value: Any, flag: bool) -> None:
    assert read(flag=value).flag is flag


@pytest.mark.parametrize("value", ["", "perhaps", 2, -1, [], {}])
def test_what_is_neither_yes_nor_no_is_not_guessed(value: Any) -> None:
    assert unread({"flag": value}) == "the answer cannot be read (flag)"


@pytest.mark.parametrize(
    ("value", "remark"),
    [
        ("late", "late"),
        (["late", "far"], "late; far"),
        ([""], ""),
        ([], ""),
        (["a", {}, 5], "a; 5"),
    ],
)
def test_a_remark_may_be_a_list(value: Any, remark: str) -> None:
    assert read(remark=value).remark == remark


def test_numbers_may_be_texts() -> None:
    answer = read(rupees="46.50", count="3", days="2")
    assert (answer.rupees, answer.count, answer.days) == (Decimal("46.50"), 3, 2)
    assert read(rupees=46.1).rupees == Decimal("46.1")
    for wrong in ("NaN", "1e12", "many", "", [], True):
        assert unread({"rupees": wrong}) == "the answer cannot be read (rupees)"


def test_a_field_that_is_not_needed_counts_as_missing_if_it_cannot_be_read() -> None:
    assert read(days="soon").days is None
    assert read(parts=[{"id": 7, "words": ["x"]}]).parts == [Part(id="7")]
    assert unread({"parts": [{"id": "1"}, {"id": ""}]}) == "the answer cannot be read (parts.1.id)"


@pytest.mark.parametrize("value", ["x" * 101, "a\x00b", "\ud800", f"a{MASK}", ["1"], {"a": 1}])
def test_an_id_is_never_changed_to_fit(value: Any) -> None:
    assert unread({"id": value}) == "the answer cannot be read (id)"


@pytest.mark.parametrize(
    "value", [SECONDS * 1000, f"{SECONDS}000", f" {SECONDS}000 ", 1793400000e3]
)
def test_milliseconds_become_a_time_in_utc(value: Any) -> None:
    assert read(sent_at=value).sent_at == AT
    assert read(sent_at=SECONDS * 1000 + 57).sent_at == AT.replace(microsecond=57_000)


@pytest.mark.parametrize("value", [SECONDS, 0, -1, 10**30, 5e12, "soon", "", [], 1e300])
def test_what_is_not_milliseconds_of_this_century_is_not_read(value: Any) -> None:
    assert unread({"sent_at": value}) == "the answer cannot be read (sent_at)"


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-24T05:30:01", 0),
        ("2026-11-24 05:30:01", 0),
        ("2026-11-24T05:30:01.7", 700_000),
        ("2026-11-24T05:30:01.57", 570_000),
        ("2026-11-24T05:30:01.767", 767_000),
        ("2026-11-24T05:30:01+05:30", 0),
        ("2026-11-24T00:00:01Z", 0),
        ("2026-11-24T00:00:01.000000+00:00", 0),
        (" 2026-11-24T05:30:01 ", 0),
    ],
)
def test_a_time_without_a_zone_is_india_time(text: str, microsecond: int) -> None:
    wanted = dt.datetime(2026, 11, 24, 0, 0, 1, microsecond, tzinfo=dt.UTC)
    assert read(scanned_at=text).scanned_at == wanted


@pytest.mark.parametrize(
    "value", ["", "soon", "24/11/2026", "1970-01-01T00:00:00", "0001-01-01T00:00:00", "9999-12-31",
              SECONDS, True, []],
)  # fmt: skip
def test_what_is_not_a_time_is_not_read(value: Any) -> None:
    assert unread({"scanned_at": value}) == "the answer cannot be read (scanned_at)"


@pytest.mark.parametrize("body", [None, "x", 7, [], [{}]])
def test_an_answer_of_another_shape_is_unknown(body: Any) -> None:
    assert unread(body) == "the answer cannot be read (body)"


def test_a_list_of_answers_is_read_one_by_one() -> None:
    (one, other) = READER.parse_list(Part, [{"id": 1}, {"id": 2}], "track")
    assert (one.id, other.id) == ("1", "2")
    for body, field in (({}, "body"), ([{}], "id"), ([7], "body")):
        with pytest.raises(Unknown, match=f"\\({field}\\)"):
            READER.parse_list(Part, body, "track")


def test_a_callback_that_cannot_be_read_is_malformed() -> None:
    assert parse_event(Part, {"id": "T-1"}).id == "T-1"
    with pytest.raises(MalformedEvent, match="cannot be read: id"):
        parse_event(Part, {"words": "x"})


def test_a_refusal_has_the_couriers_words_and_may_say_that_the_work_is_done() -> None:
    refusal = READER.rejection("cancel", "Already\x00 cancelled " + "x" * 600)
    assert isinstance(refusal, Rejected)
    assert (refusal.courier, refusal.operation) == ("courier", "cancel")
    assert len(refusal.courier_message) == 500
    assert words_if_done(refusal, "already cancelled").startswith("Already cancelled")
    with pytest.raises(Rejected):
        words_if_done(refusal, "already registered")


class Scan(Answer):
    wrapped_in = "Scan"
    word: Text = named("Status", "Word")
    place: OrDefault[Text] = named("Place", "Hub", default="")
    weight_g: Grams = None


def test_a_field_may_have_one_of_several_names() -> None:
    read_scan = Scan.model_validate({"Word": "open", "Hub": "Pune"})
    assert (read_scan.word, read_scan.place) == ("open", "Pune")
    assert Scan.model_validate({"Status": "open"}).place == ""
    assert unread({"Hub": "Pune"}, Scan) == "the answer cannot be read (Status)"


def test_an_object_may_be_wrapped_in_another() -> None:
    assert Scan.model_validate({"Scan": {"Status": "open"}}).word == "open"
    assert unread({"Scan": None}, Scan) == "the answer cannot be read (body)"
    assert unread({"Scan": {}}, Scan) == "the answer cannot be read (Status)"


@pytest.mark.parametrize(
    ("value", "grams"),
    [(250, 250), ("249.6", 250), (0, None), (-5, None), (10**6, None), ("heavy", None), ([], None)],
)
def test_a_weight_is_whole_grams_or_not_known(value: Any, grams: int | None) -> None:
    assert Scan.model_validate({"Status": "x", "weight_g": value}).weight_g == grams


ROWS = {"rows": [{"Status": "a"}, {"Scan": {"Status": "b"}}]}
BROKEN = {"rows": [{"Status": "a"}, {"Place": "Pune"}]}


def test_a_list_may_be_in_a_field() -> None:
    words = [one.word for one in READER.parse_list(Scan, ROWS, "track", field="rows")]
    assert words == ["a", "b"]
    for body in (BROKEN, {}, {"rows": {}}, [], None):
        with pytest.raises(Unknown):
            READER.parse_list(Scan, body, "track", field="rows", fewest=1)
    with pytest.raises(Unknown, match="rows"):
        READER.parse_list(Scan, {"rows": []}, "track", field="rows", fewest=1)
    assert READER.parse_list(Scan, {"rows": []}, "track", field="rows") == []


def test_what_can_be_read_of_a_list_is_not_hidden_by_the_rest() -> None:
    found = READER.parse_readable(Scan, BROKEN, "track", field="rows")
    assert [one.word for one in found] == ["a"]
    assert READER.parse_readable(Scan, [], "track") == []
    for body in ([{"Place": "Pune"}], [1, 2], {}):
        with pytest.raises(Unknown):
            READER.parse_readable(Scan, body, "track")
    with pytest.raises(Unknown):
        READER.parse_readable(Scan, [], "track", fewest=1)


def test_the_parts_of_a_price_are_sums_of_fields() -> None:
    row = {"freight": "40.005", "freight_back": 10, "cash": "free", "fuel": 0, "other": 9}
    parts = {"shipping": ("freight", "freight_back"), "cod": ("cash",), "fuel": ("fuel", "none")}
    assert amounts_in(row, parts) == {"shipping": Decimal("50.01")}
    assert amounts_in(None, parts) == {}


def test_an_error_has_the_couriers_words() -> None:
    error = READER.error(NotDone, "edit", "too new", "wait\x00 a minute")
    assert type(error) is NotDone
    assert (error.courier, error.operation, error.message) == ("courier", "edit", "too new")
    assert error.courier_message == "wait a minute"


def test_a_link_is_the_first_of_an_answer() -> None:
    link = READER.link("label", ["https://a/1", "https://a/2"], "label.pdf", ("image/png",))
    assert (link.url, link.filename, link.content_types) == (
        "https://a/1", "label.pdf", ("image/png",),
    )  # fmt: skip
    for urls in ([], [""]):
        with pytest.raises(NotFound):
            READER.link("label", urls, "label.pdf")


def test_a_refusal_may_say_in_several_ways_that_it_is_done() -> None:
    refusal = READER.rejection("pickup", "PR exists: true")
    assert words_if_done(refusal, "already", "exists: true") == "PR exists: true"
    with pytest.raises(Rejected):
        words_if_done(refusal, "already", "auto pickup")
