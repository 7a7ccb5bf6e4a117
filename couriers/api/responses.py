"""What the operations of the API have in common in the schema: the problems they may answer."""

from __future__ import annotations

from couriers.api.serializers import ProblemSerializer

_PROBLEM = "application/problem+json"
PROBLEMS = {(status, _PROBLEM): ProblemSerializer for status in (400, 401, 404, 422, 502, 503)}
CONFLICT = {(409, _PROBLEM): ProblemSerializer}
