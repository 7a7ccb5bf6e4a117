"""docs/velocity.md agrees with the code: every method, limit and option."""

from __future__ import annotations

from couriers_velocity.adapter import VelocityAdapter
from couriers_velocity.client import OPERATIONS
from couriers_velocity.mapper.options import QualityCheck, VelocityOptions
from tests.support.courier_pages import CourierPage
from tests.support.plug_ins import lines_of

PAGE = CourierPage("velocity")


def test_every_method_of_the_contract_has_a_row() -> None:
    PAGE.check_methods(VelocityAdapter)


def test_every_limit_is_the_limit_in_the_code() -> None:
    PAGE.check_limits(OPERATIONS)


def test_every_option_has_a_row() -> None:
    PAGE.check_options(VelocityOptions, QualityCheck)


def test_the_plug_in_has_less_than_a_thousand_lines() -> None:
    assert lines_of("couriers_velocity") < 1000
