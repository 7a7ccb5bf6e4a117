"""The problem responses of operations, as the OpenAPI schema lists them."""

from __future__ import annotations

from couriers.api.problems import CONTENT_TYPE
from couriers.api.serializers import ProblemSerializer

ProblemResponses = dict[tuple[int, str], type[ProblemSerializer]]


def problem_responses(*statuses: int) -> ProblemResponses:
    """The `responses` of `extend_schema` for problems with these HTTP statuses."""
    return {(status, CONTENT_TYPE): ProblemSerializer for status in statuses}


PROBLEMS = problem_responses(400, 401, 404, 422, 502, 503)  # of the companies' operations
CONFLICT = problem_responses(409)
STAFF_PROBLEMS = problem_responses(400, 401, 403, 404, 409)
