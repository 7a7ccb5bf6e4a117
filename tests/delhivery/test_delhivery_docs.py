"""docs/delhivery.md agrees with the code: every method, limit and option."""

from __future__ import annotations

from couriers_delhivery.adapter import DelhiveryAdapter
from couriers_delhivery.client import OPERATIONS
from couriers_delhivery.mapper.options import DelhiveryOptions, QualityCheck, Question
from tests.support.courier_pages import CourierPage
from tests.support.plug_ins import lines_of

PAGE = CourierPage("delhivery")


def test_every_method_of_the_contract_has_a_row() -> None:
    PAGE.check_methods(DelhiveryAdapter)


def test_every_limit_is_the_limit_in_the_code() -> None:
    PAGE.check_limits(OPERATIONS)


def test_every_option_has_a_row() -> None:
    PAGE.check_options(DelhiveryOptions, QualityCheck, Question)


def test_the_plug_in_has_less_than_a_thousand_lines() -> None:
    assert lines_of("couriers_delhivery") < 1000
