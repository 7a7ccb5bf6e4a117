"""Removing what a request carried from what a courier answers."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from couriers.contract.masking import MASK, Scrubber, SentValues, sent_values
from couriers.contract.masking.letters import letters_of

ADDRESS = "9, Secret Lane, near Old Mill, Kothrud"
SENT = SentValues(
    secrets=("tok-4fZ_91.abcDEF", "hunter22"),
    names=("Asha Sample",),
    texts=("9876543210", ADDRESS, "asha.sample@example.in", "Raj"),
    open=("ORD-7", "20261123001", "500999A3408005", "Pune", "411004", "Maharashtra"),
)
WRITINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "HTML": html.escape,
    "HTML numbers": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "URL": quote,
    "URL of a form": quote_plus,
    "URL twice": lambda text: quote(quote(text)),
    "URL, every byte": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "JSON": json.dumps,
    "JSON twice": lambda text: json.dumps(json.dumps(text)),
    "JSON, every character": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "bytes of Python": lambda text: repr(text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "without blanks": lambda text: text.replace(" ", ""),
    "lines": lambda text: text.replace(" ", "\n"),
}


def scrub(text: str, sent: SentValues = SENT) -> str:
    return Scrubber(sent).scrub(text)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("value", ["Asha Sample", ADDRESS, "asha.sample@example.in"])
def test_a_sent_value_is_masked_in_every_writing(writing: str, value: str) -> None:
    text = f"Refused: {WRITINGS[writing](value)} is wrong"
    left = scrub(text)
    assert MASK in left
    assert left.startswith("Refused: ")
    assert left.endswith(" is wrong")
    assert "sample" not in letters_of(left).folded
    assert "secretlane" not in letters_of(left).folded
    assert WRITINGS[writing](value) not in left


@pytest.mark.parametrize(
    "phone",
    ["9876543210", "98765.43210", "+91-98765 43210", "98 76 54 32 10", "(098765)-43210",
     "9876&#53;43210", "98765%2043210", "९८७६५४३२१०", "98765\u200b43210", "919876543210"],
)  # fmt: skip
def test_a_sent_phone_is_masked_however_it_is_grouped(phone: str) -> None:
    left = scrub(f"Call {phone} now")
    assert not any(c.isdigit() for c in left.replace("91", "").replace("0", ""))
    assert left.startswith("Call ")
    assert left.endswith(" now")


def test_a_secret_is_masked_wherever_it_stands() -> None:
    assert scrub("Bearer tok-4fZ_91.abcDEF") == f"Bearer {MASK}"
    assert scrub("xhunter22x") == f"x{MASK}x"
    assert scrub("so !?% fails", SentValues(secrets=("!?%",))) == f"so {MASK} fails"
    assert scrub("ab is ok", SentValues(secrets=("ab",))) == "ab is ok"


@pytest.mark.parametrize(
    "cut", ["9, Secret Lane, ne", "ret Lane, near Old", "Old Mill, Koth", "987654321", "7654321"]
)
def test_a_value_that_is_cut_is_masked(cut: str) -> None:
    assert scrub(f"got {cut}…") == f"got {MASK}…"


@pytest.mark.parametrize(
    "words",
    [
        "Wallet balance is not enough", "Pincode 411004 is not served", "Order ORD-7 exists",
        "Waybill 500999A3408005 is cancelled", "Order 20261123001 is a duplicate",
        "Pune, Maharashtra is out of reach", "near the mill", "Raja Road hub", "", "ok",
    ],
)  # fmt: skip
def test_ids_places_and_the_couriers_own_reason_stay(words: str) -> None:
    assert Scrubber(SENT).scrub_words(words) == words


def test_an_order_number_that_is_the_phone_stays_readable() -> None:
    sent = SentValues(texts=("9876543210",), open=("9876543210",))
    assert Scrubber(sent).scrub_words("Order 9876543210 exists") == "Order 9876543210 exists"


@pytest.mark.parametrize("name", ["India", "A", "Om", "Not", "Pune", "Order Wrong"])
def test_a_name_that_is_an_ordinary_word_does_not_blank_the_message(name: str) -> None:
    sent = SentValues(names=(name,), open=("India", "Pune"))
    words = "Order not accepted: a pincode of Pune, India is wrong"
    assert scrub(words, sent) == words


def test_a_short_name_is_masked_as_a_word_alone() -> None:
    assert scrub("Raj of Rajkot, asha's, sample") == f"{MASK} of Rajkot, {MASK}'s, {MASK}"


def test_what_only_looks_like_a_phone_or_an_e_mail_is_the_second_line() -> None:
    words = Scrubber(SENT).scrub_words("Ring 91234 56789 or x@y.in about 20261123001")
    assert words == f"Ring {MASK} or {MASK} about 20261123001"


def test_json_is_scrubbed_in_texts_names_of_fields_and_numbers() -> None:
    answer = {
        "status": True, "Asha Sample": [ADDRESS.upper()], "phone": 9876543210, "at": 1790000000000,
        "remark": "call 91234 56789", "id": "912345678901", "n": None, "weight": 1.5,
        "access_token": "tok-4fZ_91.abcDEF",
    }  # fmt: skip
    scrubbed = Scrubber(SENT).scrub_json(answer, word_fields={"remark"}, kept={"access_token"})
    assert scrubbed == {
        "status": True, MASK: [MASK], "phone": MASK, "at": 1790000000000,
        "remark": f"call {MASK}", "id": "912345678901", "n": None, "weight": 1.5,
        "access_token": "tok-4fZ_91.abcDEF",
    }  # fmt: skip


@pytest.mark.parametrize("answer", [None, 1, "ok", [], {}, {"status": False, "remark": "no"}])
def test_an_answer_that_repeats_nothing_is_returned_as_it_is(answer: Any) -> None:
    assert Scrubber(SENT).scrub_json(answer) == answer


def test_a_field_is_private_unless_it_is_listed() -> None:
    body = {"order": "A-1", "who": "Asha Sample", "to": {"new": "text", "phone": 9876543210},
            "weight": 240, "cod": True, "ids": ["T1", "T2"]}  # fmt: skip
    sent = sent_values(body, open_fields={"order", "ids"}, name_fields={"who"}, ids=("T3",))
    assert sent.open == ("T3", "A-1", "T1", "T2")
    assert (sent.names, sent.texts) == (("Asha Sample",), ("text", "9876543210"))
    assert "Asha" not in repr(sent)


values = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=12, max_size=60
).filter(lambda text: len(letters_of(text).folded) >= 10)


@given(values, st.sampled_from(sorted(WRITINGS)), st.text(max_size=20))
@settings(max_examples=150, deadline=None)
def test_no_value_survives_in_any_writing(value: str, writing: str, around: str) -> None:
    text = f"{around} {WRITINGS[writing](value)} {around}"
    left = scrub(text, SentValues(texts=(value,)))
    assert letters_of(value).folded not in letters_of(left).folded
    assert scrub(left, SentValues(texts=(value,))) == left


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_scrubber(text: str) -> None:
    Scrubber(SENT).scrub_words(text)


@pytest.mark.parametrize("part", ["%41", "&#65;", "\\u0041", "9 8 ", "asha ", "QUJD", "\\", "a"])
def test_a_long_text_is_scrubbed_in_a_short_time(part: str) -> None:
    started = time.process_time()
    scrub(part * (65536 // len(part)))
    assert time.process_time() - started < 2
