"""The toy courier's calls: paths, payloads and answers, and how often each may be made."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from couriers.contract.reading import Answer, IndiaTime, RequiredId, Text
from couriers.contract.types import Limit, ShipmentRequest
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import StaticKey
from couriers.http.outcomes import AnswerTable

LIMITS: Mapping[str, Limit] = dict.fromkeys(
    ("book", "find", "reserve", "track", "cancel", "ticket"), Limit(20, 1)
)


class Order(Answer):
    order: RequiredId
    parcel: RequiredId


class Orders(Answer):
    orders: list[Order]


class Step(Answer):
    word: Text
    at: IndiaTime
    place: Text = ""


class Parcel(Order):
    scans: list[Step]


class Cancelled(Answer):
    state: Text
    ticket: Text = ""


class Numbers(Answer):
    numbers: list[RequiredId]


class ToyClient(CourierClient):
    courier = "toy_neither"
    limits = LIMITS
    login = StaticKey("api_key", scheme="Token")
    table = AnswerTable(word_fields=("error",))
    # What is sent in these may stand in an answer. All else is masked there.
    sent_fields = SentFields(
        open=frozenset({"order", "number", "pin", "q"}), names=frozenset({"name"})
    )

    def book(self, request: ShipmentRequest) -> Any:
        to = request.consignee
        order = {
            "order": request.order_number,
            "number": request.reserved_id,
            "name": to.name,
            "phone": to.phone,
            "address": to.address,
            "pin": to.pincode,
            "kilograms": f"{request.parcel.weight_g / 1000:.3f}",
            "collect": f"{request.cod_amount:.2f}",
        }
        return self.call("book", "POST", "/orders", json=order)

    def find(self, order_number: str) -> Any:
        return self.call("find", "GET", "/orders", params={"q": order_number})

    def reserve(self, count: int) -> Any:
        return self.call("reserve", "POST", "/numbers", json={"count": count})

    def parcel(self, number: str) -> Any:
        path = f"/parcels/{quote(number, safe='')}"
        return self.call("track", "GET", path, ids=(number,))

    def cancel(self, number: str) -> Any:
        path = f"/parcels/{quote(number, safe='')}/cancel"
        return self.call("cancel", "POST", path, ids=(number,))

    def ticket(self, number: str) -> Any:
        return self.call("ticket", "GET", f"/tickets/{quote(number, safe='')}", ids=(number,))
