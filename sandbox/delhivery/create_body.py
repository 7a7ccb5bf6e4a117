"""The body of a create call: a form with JSON in it, and what breaks it. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

FORM = "application/x-www-form-urlencoded"
# What a form has that is percent-encoded as it should be.
_ENCODED = re.compile(r"[A-Za-z0-9._~*+%&=!'()-]*")


class Unreadable(Exception):
    """The whole request is refused; the text is the `rmk` of the answer."""


@dataclass(frozen=True, slots=True)
class CreateBody:
    """The packages of a create call, and the name of the warehouse that they are fetched from."""

    packages: list[dict[str, Any]]
    warehouse: Any


def form_problems(content_type: str, raw: bytes) -> list[str]:
    """What is wrong about the form."""
    problems = []
    if content_type != FORM:
        problems.append(f"Content-Type must be {FORM}")
    if not _ENCODED.fullmatch(raw.decode(errors="replace")):
        problems.append("the form is not percent-encoded")
    return problems


def read_create(content_type: str, raw: bytes) -> CreateBody:
    """Read the body. Raises Unreadable.

    A body that is sent raw is cut at the first sign that means something in a form.
    """
    text = raw.decode(errors="replace")
    if content_type == FORM:
        fields = {name: values[0] for name, values in parse_qs(text).items()}
    else:
        parts = re.split("[&#;]", text)
        pairs = (part.partition("=") for part in parts if "=" in part)
        fields = {name: value.replace("%", "\\") for name, _, value in pairs}
    if fields.get("format") != "json":
        raise Unreadable("format key missing in the post")
    try:
        data = json.loads(fields.get("data", ""))
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    return _read_data(data)


def _read_data(data: Any) -> CreateBody:
    packages = data.get("shipments") if isinstance(data, dict) else None
    if not isinstance(packages, list) or not packages:
        raise Unreadable("shipment list contains no data")
    if not all(isinstance(package, dict) for package in packages):
        raise Unreadable("shipment list contains no data")
    location = data.get("pickup_location")
    return CreateBody(packages, location.get("name") if isinstance(location, dict) else None)
