"""The names and the groups of operations, from which clients name functions and pages their parts.

A name is a verb and what it is done to: `list_shipments`, `get_shipment`, `cancel_shipment`. It
follows from the path and the method. A view whose path says it badly gives `operation_id` itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

STAFF = "Staff"
# Verbs by method, of operations on a collection or on one row.
_VERBS = {"GET": "get", "POST": "create", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}


class Group(NamedTuple):
    """Operations that belong together. `paths` is a pattern of the paths below `/v1/`."""

    name: str
    description: str
    paths: str


# In the order in which a storefront needs them. The first group whose pattern matches has the path.
GROUPS = (
    Group("Shipments", "Book one order, and read what was booked.", r"shipments/(\{id\}/)?"),
    Group(
        "Tracking", "Where a parcel is.", r"shipments/\{id\}/(scans|track|proof-of-delivery)/"
    ),
    Group(
        "Labels and documents", "What is printed and signed.",
        r"labels/.*|shipments/\{id\}/label/.*",
    ),
    Group("Returns", "Have a delivered parcel fetched.", r"shipments/\{id\}/return/"),
    Group(
        "Actions", "Cancel, and decide about a parcel that was not delivered (NDR).",
        r"shipments/\{id\}/.*",
    ),
    Group("Bulk bookings", "Thousands of orders in one request.", r"shipments/bulk/|jobs/.*"),
    Group(
        "Rates and couriers", "What a lane costs, and who serves it.",
        r"rates/|serviceability/|couriers/.*",
    ),
    Group(
        "Courier rules", "Who carries an order that names no courier.", r"courier-rules/.*",
    ),
    Group("Events", "Everything that happens, to be read in order.", r"events/.*"),
    Group("Webhooks", "Events, sent to your server.", r"webhook-endpoints/.*"),
    Group("Manifests", "What a courier's driver signs.", r"manifests/.*"),
    Group("Warehouses", "Pickup addresses, and pickups there.", r"warehouses/.*"),
    Group("Products", "What is known of a SKU.", r"products/.*"),
    Group("Keys", "A company's API keys.", r"keys/.*"),
    Group(
        STAFF, "For the platform's operators, with a session of the admin. No API key opens these.",
        r"ops/.*",
    ),
)  # fmt: skip


def group_of(path: str) -> str:
    """Return the name of the group of a path below `/v1/`. Raises ValueError where none has it."""
    for group in GROUPS:
        if re.fullmatch(group.paths, path):
            return group.name
    raise ValueError(f"no group of couriers.api.operation_names has the path {path}")


def operation_name(path: str, method: str, *, answers_a_list: bool, creates: bool) -> str:
    """Return the name of an operation, made of the path below `/v1/` and the method.

    `answers_a_list` is whether its answer is an array or a page; `creates` whether it may be 201.
    """
    words = [word.replace("-", "_") for word in path.removeprefix("ops/").split("/") if word]
    names = [word for word in words if "{" not in word]
    is_of_one_row = len(words) > len(names) and "{" not in words[-1]
    if method == "GET" and answers_a_list:
        return "_".join(["list", *_singulars(names[:-1]), names[-1]])
    if method == "POST" and is_of_one_row and not creates:
        return "_".join([names[-1], *_singulars(names[:-1])])
    verb = _VERBS[method]
    if is_of_one_row:
        return "_".join([verb, *_singulars(names[:-1]), names[-1]])
    return "_".join([verb, *_singulars(names)])


def _singulars(words: Sequence[str]) -> list[str]:
    return [re.sub("s$", "", word) for word in words]
