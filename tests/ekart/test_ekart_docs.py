"""docs/ekart.md agrees with the code: every method, limit and option."""

from __future__ import annotations

from couriers_ekart.adapter import EkartAdapter
from couriers_ekart.client import OPERATIONS
from couriers_ekart.mapper.options import EkartOptions, QualityCheck
from tests.support.courier_pages import CourierPage

PAGE = CourierPage("ekart")


def test_every_method_of_the_contract_has_a_row() -> None:
    PAGE.check_methods(EkartAdapter)


def test_every_limit_is_the_limit_in_the_code() -> None:
    PAGE.check_limits(OPERATIONS)


def test_every_option_has_a_row() -> None:
    PAGE.check_options(EkartOptions, QualityCheck)
