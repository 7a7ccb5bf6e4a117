"""The toy courier's operations, and what its answers mean."""

from couriers.contract.reading import Answer, IndiaTime, RequiredId, Text
from couriers.contract.types import Limit, Scan
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import StaticKey
from couriers.http.operations import Operation
from couriers.http.outcomes import AnswerTable
from couriers.testing.toy.statuses import MAPPER


class Order(Answer):
    order: RequiredId
    parcel: RequiredId


class Orders(Answer):
    orders: list[Order]


class Step(Answer):
    word: Text
    at: IndiaTime
    place: Text = ""

    def scan(self) -> Scan:
        return Scan(MAPPER.map(self.word), self.at, self.place)


class Parcel(Order):
    scans: list[Step]


class Cancelled(Answer):
    state: Text
    ticket: Text = ""


class Numbers(Answer):
    numbers: list[RequiredId]


class ToyClient(CourierClient):
    operations = {
        "book": Operation("POST", "/orders", Limit(20, 1)),
        "find": Operation("GET", "/orders", Limit(20, 1)),
        "reserve": Operation("POST", "/numbers", Limit(20, 1)),
        "track": Operation("GET", "/parcels/{parcel}", Limit(20, 1)),
        "cancel": Operation("POST", "/parcels/{parcel}/cancel", Limit(20, 1)),
        "ticket": Operation("GET", "/tickets/{ticket}", Limit(20, 1)),
    }
    login = StaticKey("api_key", scheme="Token")
    table = AnswerTable(word_fields=("error",))
    # What is sent in these may stand in an answer. All else is masked there.
    sent_fields = SentFields(
        open=frozenset({"order", "number", "pin", "q"}), names=frozenset({"name"})
    )
