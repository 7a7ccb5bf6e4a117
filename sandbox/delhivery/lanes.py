"""The calls about charges, days of travel and pincodes."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re

from aiohttp import web

from sandbox.checks import require
from sandbox.delhivery import charges
from sandbox.delhivery.pincodes import Pincode, sample
from sandbox.delhivery.switches import DelhiverySwitches
from sandbox.errors import Refused
from sandbox.india import today
from sandbox.operations import Operation, current_call

ALL_PINCODES = 19_000
PICKUP_DAY = "expected_pickup_date must be YYYY-MM-DD HH:mm"
DAYS = {"S": 5, "E": 2, "N": 1}  # by mode of transport


class Lanes:
    """Questions about a pincode, or two."""

    def __init__(self, switches: DelhiverySwitches) -> None:
        self._switches = switches

    def operations(self) -> list[Operation]:
        return [
            Operation("charges", "GET", "/api/kinko/v1/invoice/charges/.json", self.charges),
            Operation("expected_tat", "GET", "/api/dc/expected_tat", self.expected_tat),
            Operation("pincodes", "GET", "/c/api/pin-codes/json/", self.pincodes),
        ]

    async def charges(self, request: web.Request) -> web.StreamResponse:
        """A list of one object; all zeros without `pt`, and where the switch says so."""
        query = dict(request.query)
        if problem := charges.problem_of(query):
            current_call().problems.append(problem)
            return web.json_response({"error": problem}, status=400)
        if "pt" not in query:
            current_call().problems.append("pt is missing: every charge is 0")
        return web.json_response([charges.charge(query, zero=self._switches.zero_rates)])

    async def expected_tat(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        mode = query.get("mot", "")
        require(mode in DAYS, f"mot must be one of {', '.join(DAYS)}")
        require(query.get("pdt", "B2C") == "B2C", "pdt must be B2C")
        day = _pickup_day(query.get("expected_pickup_date"))
        for name, words in (("origin_pin", "Origin"), ("destination_pin", "Destination")):
            if not _is_pincode(query.get(name, "")):
                current_call().problems.append(f"{name} must have six digits")
                return _no_days(f"{words} pin is invalid.")
            if not Pincode(query[name]).served:
                return _no_days(f"{words} pin not serviceable.")
        same_region = query["origin_pin"][0] == query["destination_pin"][0]
        days = DAYS[mode] - (1 if same_region and DAYS[mode] > 1 else 0)
        arrival = (day + dt.timedelta(days=days)).isoformat()
        data = {"tat": days, "expected_delivery_date": arrival}
        return web.json_response({"success": True, "msg": "", "data": data})

    async def pincodes(self, request: web.Request) -> web.StreamResponse:
        """One pincode, an empty list where it is not served, or the whole list."""
        asked = request.query.get("filter_codes")
        if asked is None:
            return web.Response(text=_whole_list(), content_type="application/json")
        require(_is_pincode(asked), "filter_codes must have six digits")
        found = [Pincode(asked).as_json()] if Pincode(asked).exists else []
        return web.json_response({"delivery_codes": found})


@functools.cache
def _whole_list() -> str:
    return json.dumps({"delivery_codes": [one.as_json() for one in sample(ALL_PINCODES)]})


def _is_pincode(text: str) -> bool:
    return bool(re.fullmatch("[1-9][0-9]{5}", text))


def _no_days(words: str) -> web.Response:
    return web.json_response({"success": False, "msg": words, "data": ""}, status=400)


def _pickup_day(text: str | None) -> dt.date:
    """The day of YYYY-MM-DD HH:mm, or today. Raises Refused."""
    if text is None:
        return today()
    # strptime() alone would also take numbers of one digit.
    require(bool(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", text)), PICKUP_DAY)
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M").date()  # noqa: DTZ007 - India time
    except ValueError:
        raise Refused(PICKUP_DAY) from None
