"""Problems of options are told in the platform's words, and never in those of a library."""

from __future__ import annotations

from typing import Any

import pytest

from couriers.contract.options import parse_options
from couriers_ekart.mapper.options import EkartOptions

CHECKED = {"quality_check": {"product_name": "Mug"}}


def quality(**more: Any) -> dict[str, Any]:
    return {"quality_check": {**CHECKED["quality_check"], **more}}


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"colour": 1}, "colour", "is not an option of Ekart"),
        ({"alternate_phone": "12"}, "alternate_phone", "is not a ten-digit Indian phone number"),
        ({"alternate_phone": 12}, "alternate_phone", "must be a text"),
        ({"preferred_dispatch_date": "soon"}, "preferred_dispatch_date",
         "must be a day like 2026-11-25"),
        ({"preferred_dispatch_date": [1]}, "preferred_dispatch_date",
         "must be a day like 2026-11-25"),
        ({"preferred_dispatch_date": 12345.678}, "preferred_dispatch_date",
         "must be a day like 2026-11-25"),
        ({"delayed_dispatch": "yes"}, "delayed_dispatch", "must be true or false"),
        ({"ewaybill_number": "12"}, "ewaybill_number", "must be 12 digits"),
        ({"what3words": "one.two"}, "what3words", "must be three words with dots between them"),
        ({"template_name": "x" * 101}, "template_name", "is longer than 100 characters"),
        ({"template_name": "a\u202eb"}, "template_name",
             "contains U+202E (right-to-left override), which cannot be seen: remove it"),
        ({"location_type": "Boat"}, "location_type", "must be 'Office' or 'Home'"),
        ({"packages": {}}, "packages", "must be a list"),
        ({"packages": ["x"]}, "packages[0]", "must be an object"),
        ({"packages": [{}] * 101}, "packages", "has more than 100 entries"),
        ({"packages": [{"weight_g": 0, "length_cm": 1, "width_cm": 1, "height_cm": 1}]},
         "packages[0].weight_g", "must be at least 1"),
        ({"packages": [{"weight_g": 1.5, "length_cm": 1, "width_cm": 1, "height_cm": 1}]},
         "packages[0].weight_g", "must be a whole number"),
        ({"packages": [{"weight_g": 5, "length_cm": 1, "width_cm": "x", "height_cm": 1}]},
         "packages[0].width_cm", "must be a whole number"),
        ({"packages": [{"weight_g": 5, "length_cm": 1, "width_cm": 1001, "height_cm": 1}]},
         "packages[0].width_cm", "must be at most 1000"),
        ({"packages": [{"weight_g": 5, "length_cm": 1, "width_cm": 1}]},
         "packages[0].height_cm", "is missing"),
        ({"quality_check": {"product_name": ""}}, "quality_check.product_name", "is missing"),
        (quality(product_images=["ftp://x"]), "quality_check.product_images[0]",
         "must be an address with http or https"),
        ({"consignee_gstin": "x"}, "consignee_gstin", "must be 15 characters like 29ABCDE1234F1Z5"),
    ],
)  # fmt: skip
def test_a_problem_names_the_option_and_what_is_right(
    options: dict[str, Any], field: str, message: str
) -> None:
    _, problems = parse_options(EkartOptions, options)
    assert (f"options.{field}", message) in [(p.field, p.message) for p in problems]


WRONG: tuple[Any, ...] = (
    None, True, 5, -1, 1.5, float("inf"), float("nan"), 10**400, "", "x", "x" * 2_000, [], [None],
    ["x"] * 200, {}, {"x": 1}, [{"weight_g": "x"}], {"product_name": 5, "product_images": [5]},
)  # fmt: skip


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
def test_no_value_is_told_in_a_librarys_words(value: Any) -> None:
    names = (
        "alternate_phone", "preferred_dispatch_date", "delayed_dispatch", "ewaybill_number",
        "what3words", "location_type", "consignee_gstin", "packages", "quality_check",
    )  # fmt: skip
    for name in names:
        for problem in parse_options(EkartOptions, {name: value})[1]:
            assert problem.message.startswith(("is ", "must ", "has ", "contains ")), problem
            assert problem.message != "is not valid", (name, value)
