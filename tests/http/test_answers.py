"""What an answer is read as, and what it means by the courier's own table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from couriers.contract.errors import (
    CourierError,
    CredentialsRefused,
    NotFound,
    RateLimited,
    Rejected,
    TokenRefused,
    TooManyRequests,
    Unknown,
)
from couriers.http.answers import (
    MIB,
    decode_any,
    decode_json,
    decode_json_or_xml,
    decode_text,
    decode_xml,
)
from couriers.http.outcomes import Answer, AnswerTable, Verdict, retry_after
from tests.support.small_courier import Reply, SmallCourier

pytestmark = pytest.mark.django_db


@pytest.fixture
def courier() -> Iterator[SmallCourier]:
    with SmallCourier() as running:
        yield running


def test_xml_is_read_as_objects_lists_and_texts() -> None:
    body = (
        b"<?xml version='1.0'?><root a='1'><status>Failure</status>"
        b"<error> no such &amp; one </error><ids><id>1</id><id>2</id></ids><none/></root>"
    )
    assert decode_xml(body) == {
        "status": "Failure", "error": "no such & one", "ids": {"id": ["1", "2"]}, "none": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"<root>",
        b"no xml",
        b"",
        b"<!DOCTYPE root [<!ENTITY a 'x'>]><root>&a;</root>",
        b"<!DOCTYPE root SYSTEM 'file:///etc/passwd'><root/>",
        b"<root>&unknown;</root>",
        b"<a>" * 200 + b"</a>" * 200,
    ],
)
def test_xml_that_is_broken_deep_or_has_entities_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_xml(body)


def test_entities_are_never_expanded() -> None:
    lines = [f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 9)]
    bomb = f"<!DOCTYPE r [<!ENTITY e0 '{'x' * 100}'>{''.join(lines)}]><r>&e8;</r>".encode()
    started = time.monotonic()
    with pytest.raises(ValueError, match="a document type is refused"):
        decode_xml(bomb)
    assert time.monotonic() - started < 1


def test_an_answer_may_be_a_text_or_json_or_xml() -> None:
    assert decode_text(b" 4005110000023 ") == "4005110000023"
    assert decode_json_or_xml(b' {"status": true}') == {"status": True}
    assert decode_json_or_xml(b"\n<root><status>True</status></root>") == {"status": "True"}
    with pytest.raises(ValueError, match="deep"):
        decode_json(b"[" * 300 + b"]" * 300)


def test_a_short_text_is_the_message_where_anything_may_come() -> None:
    assert decode_any(b'{"status": true}') == {"status": True}
    assert decode_any(b"<root><status>True</status></root>") == {"status": "True"}
    for words in (b"Unauthorized", b'"Unauthorized"', b" Unauthorized\n"):
        assert decode_any(words) == {"message": "Unauthorized"}
    for broken in (b"", b"{", b'["a', b"<root>", b"x" * 201, b"\xff"):
        with pytest.raises(ValueError, match=r"."):
            decode_any(broken)


def test_a_part_of_the_words_decides_first() -> None:
    refused, gone = Verdict(Rejected, "refused"), Verdict(NotFound, "gone")
    table = AnswerTable(
        phrases={("", "no key"): refused, ("track", "does not exist"): gone},
        word_fields=("rmk", "error"),
        judge=lambda _: Verdict(Unknown, "the judge's"),
    )

    def verdict(operation: str, body: Any) -> Verdict | None:
        return table.verdict(Answer(operation, 200, body, "", ""))

    assert verdict("edit", {"rmk": "x", "error": "NO KEY"}) == refused
    assert verdict("track", {"error": ["it", "does not exist"]}) == gone
    for operation, body in (("edit", {"rmk": "does not exist"}), ("track", {"other": "no key"})):
        found = verdict(operation, body)
        assert found is not None
        assert found.message == "the judge's"


def test_a_call_may_have_a_decoder_of_its_own(courier: SmallCourier) -> None:
    courier.answer = lambda _: Reply(b"<root><status>True</status></root>")
    assert courier.client().ask("xml") == {"status": "True"}
    with pytest.raises(Unknown, match="the answer is broken"):
        courier.client().ask()


def test_what_the_call_sent_is_masked_in_xml_and_in_text_too(courier: SmallCourier) -> None:
    client = courier.client()
    sent = {"add": "77, Wexcombe Terrace"}
    courier.answer = lambda _: Reply(b"<root><note>77, Wexcombe Terrace</note></root>")
    answer = client.ask("xml", json=sent)
    assert "Wexcombe" not in answer["note"]
    courier.answer = lambda _: Reply(b"gone to 77, Wexcombe Terrace")
    assert "Wexcombe" not in client.ask("text", json=sent)


def test_an_answer_that_is_too_large_for_its_operation_is_not_read(courier: SmallCourier) -> None:
    courier.answer = lambda _: Reply({"x": "y" * 2000})
    assert courier.client().ask("track")["x"]
    with pytest.raises(Unknown, match="larger than 1024 bytes"):
        courier.client().ask("label")
    courier.answer = lambda _: Reply(b"%PDF-" + b"x" * 5000)
    assert len(courier.client().ask("label")) == 5005
    courier.answer = lambda _: Reply(b"%PDF-" + b"x" * MIB)
    with pytest.raises(Unknown, match="larger"):
        courier.client().ask("label")


def meaning(courier: SmallCourier, body: Any, status: int, **headers: str) -> CourierError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    courier.answer = lambda _: Reply(body, status, named)
    with pytest.raises(CourierError) as caught:
        courier.client().ask()
    return caught.value


def test_a_known_code_decides_before_the_status(courier: SmallCourier) -> None:
    error = meaning(courier, {"error_code": [1000, 2000], "error": ["it exists", "use edit"]}, 500)
    assert type(error) is Rejected
    assert (error.code, error.message) == ("2000", "it exists already")
    assert error.courier_message == "it exists; use edit"


def test_a_judge_may_refuse_a_2xx(courier: SmallCourier) -> None:
    error = meaning(courier, {"ok": False, "rmk": "no balance"}, 200)
    assert (type(error), error.courier_message, error.http_status) == (Rejected, "no balance", 200)


def test_a_judge_may_find_the_words(courier: SmallCourier) -> None:
    error = meaning(courier, {"pickup_date": "in the past, ask 98765 43210"}, 400)
    assert error.courier_message == "pickup_date: in the past, ask •••"


def test_a_throttle_that_looks_like_a_refusal_holds_calls_back(courier: SmallCourier) -> None:
    client = courier.client()
    courier.answer = lambda _: Reply(b"<html>Forbidden</html>", 403)
    with pytest.raises(TooManyRequests) as caught:
        client.ask()
    assert (caught.value.retry_after, caught.value.outcome) == (30, "not_done")
    with pytest.raises(RateLimited) as held:
        client.ask()
    assert 28 < (held.value.retry_after or 0) <= 30
    assert len(courier.requests) == 1


def test_a_throttle_that_names_its_end_is_held_back_until_then(courier: SmallCourier) -> None:
    assert meaning(courier, b"", 403, Retry_After="7").retry_after == 7
    assert meaning(courier, b"", 429).retry_after == 1


def test_a_wrong_key_that_comes_with_the_throttles_status_is_none(courier: SmallCourier) -> None:
    assert type(meaning(courier, {"message": "Invalid key"}, 403)) is CredentialsRefused


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, Unknown), (400, Rejected), (401, TokenRefused), (408, Unknown), (429, TooManyRequests),
     (500, Unknown), (504, Unknown)],
)  # fmt: skip
def test_without_a_table_the_status_decides(status: int, kind: type[CourierError]) -> None:
    verdict = AnswerTable().verdict(Answer("track", status, {}, "", ""))
    assert verdict is not None
    assert verdict.kind is kind


def test_a_code_is_looked_for_in_the_fields_of_the_table() -> None:
    table = AnswerTable(
        codes={"GONE": Verdict(Rejected, "gone")},
        code_fields=("message", "code"),
        word_fields=("message",),
    )
    assert table.code_in({"message": "GONE", "code": "E1"}) == "GONE"
    assert table.code_in({"message": "some words", "code": "E1"}) == "E1"
    assert table.code_in({"message": "some words"}) == ""
    assert table.code_in(["GONE"]) == ""
    assert table.code_in({"code": True}) == ""


def test_a_pause_is_bounded_whatever_the_courier_says() -> None:
    assert retry_after({"Retry-After": "999999"}, 30) == 3600
    assert retry_after({"Retry-After": "soon"}, 30) == 30
