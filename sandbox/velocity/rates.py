"""The calls that tell which carriers serve a lane, and for how much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.errors import Refused
from sandbox.india import INDIA
from sandbox.operations import Operation, read_json
from sandbox.velocity import answers, carriers
from sandbox.velocity.carriers import Carrier, Parcel
from sandbox.velocity.validation import check_lane, check_rates

PATH = "/custom/api/v1"


class Rates:
    """Serviceability and prices."""

    def operations(self) -> list[Operation]:
        return [
            Operation("serviceability", "POST", f"{PATH}/serviceability", self.serviceability),
            Operation("rates", "POST", f"{PATH}/rates", self.rates),
        ]

    async def serviceability(self, request: web.Request) -> web.StreamResponse:
        """The carriers of a lane; an empty list where it is not served."""
        body = await read_json(request)
        check_lane(body)
        cod = body["payment_mode"] == "cod"
        served = carriers.of_lane(body["from"], body["to"], cod=cod)
        return answers.with_result(
            {
                "serviceability_results": [
                    {"carrier_id": one.id, "carrier_name": one.name} for one in served
                ],
                "zone": carriers.zone(body["from"], body["to"]),
            }
        )

    async def rates(self, request: web.Request) -> web.StreamResponse:
        """The prices of each carrier of a lane. Weights are grams here."""
        body = await read_json(request)
        check_rates(body)
        origin, destination = body["origin_pincode"], body["destination_pincode"]
        cod = body.get("payment_method") == "cod"
        parcel = Parcel(
            grams=body["dead_weight"],
            sizes=(body["length"], body["width"], body["height"]),
            cod=float(body["shipment_value"]) if cod else 0.0,
        )
        lane_zone = carriers.zone(origin, destination)
        served = carriers.of_lane(origin, destination, cod=cod)
        if body.get("qc_applicable"):
            served = [one for one in served if one.checks_quality]
        if not served:
            raise Refused("No serviceable couriers found for this lane")
        return answers.with_result(
            {
                "serviceable_couriers": [_quote(one, lane_zone, parcel, body) for one in served],
                "shipment_details": {
                    "zone": lane_zone,
                    "dead_weight": parcel.grams,
                    "volumetric_weight": round(parcel.volumetric_grams, 2),
                    "applicable_weight": round(parcel.applied_grams, 2),
                },
            }
        )


def _quote(
    carrier: Carrier, lane_zone: str, parcel: Parcel, body: Mapping[str, Any]
) -> dict[str, Any]:
    if body["journey_type"] == "forward":
        prices = carriers.forward_prices(carrier, lane_zone, parcel)
        charges = {
            "forward_freight_charges": prices["shipping"],
            "cod_charges": prices["cod"],
            "rto_charges": prices["rto"],
            "total_forward_charges": prices["total"],
        }
    else:
        charges = {"total_return_charges": carriers.return_price(carrier, lane_zone, parcel)}
    now = dt.datetime.now(INDIA)
    return {
        "carrier_id": carrier.id,
        "carrier_name": carrier.name,
        "service_level": carrier.level,
        "status": "active",
        "charges": charges,
        "platform_fee": carriers.PLATFORM_FEE,
        "expected_delivery": {
            "pickup": _expected(now, 1),
            "delivery": _expected(now, 1 + carrier.days),
        },
    }


def _expected(now: dt.datetime, days: int) -> dict[str, str]:
    moment = now + dt.timedelta(days=days)
    return {
        "datetime": moment.isoformat(timespec="seconds"),
        "human_readable": moment.strftime("%d %b %Y"),
    }
