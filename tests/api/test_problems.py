"""The tables that say which problem an error becomes."""

from __future__ import annotations

import pytest

from couriers.api import problem_types, problems
from couriers.contract import errors, platform_errors
from couriers.contract.platform_errors import PlatformError


def test_every_platform_error_that_a_view_may_raise_has_a_problem() -> None:
    of_the_admin = {
        platform_errors.NotLiftable, platform_errors.NotCorrectable, platform_errors.FlagNotOpen,
        platform_errors.ChangedSince,
    }  # fmt: skip
    exceptions = {platform_errors.ActionNotAllowed, *of_the_admin}
    assert (
        problem_types.PLATFORM_PROBLEMS.keys() == set(PlatformError.__subclasses__()) - exceptions
    )


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (errors.CircuitOpen("x"), "not-sent"),
        (errors.TokenRefused("x"), "not-done"),
        (errors.CredentialsRefused("x"), "rejected"),
        (errors.NotFound("x"), "not-found"),
        (errors.Unknown("x"), "unknown-outcome"),
        (errors.CourierError("x"), "unknown-outcome"),
    ],
)
def test_a_courier_error_has_the_problem_of_its_nearest_class(
    error: errors.CourierError, name: str
) -> None:
    response = problems.exception_handler(error, {})
    assert response is not None
    assert response.data["type"] == f"/problems/{name}"
