"""Read Delhivery's other answers into neutral dataclasses, tolerantly. Pure.

An answer that cannot be read raises Unknown, because Delhivery may have done the work.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import AliasChoices, Field

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.documents import DocumentLink
from couriers.contract.errors import NotFound
from couriers.contract.money import to_paisa
from couriers.contract.reading import (
    Answer,
    Flag,
    OrDefault,
    Remark,
    RequiredId,
    Rupees,
    StatusAnswer,
    Text,
)
from couriers.contract.types import RateQuote, Serviceability
from couriers_delhivery.mapper.bookings import READER

_PICTURES = ("application/pdf", "image/jpeg", "image/png")
_NOTHING = Decimal(0)


def numbers_in(body: bytes) -> Any:
    """Decode an answer with reserved numbers: {"numbers": […]}, or {"message": words}.

    It is a JSON string, with one number or several with commas between. Raises ValueError.
    """
    answer = json.loads(body)
    numbers = [one.strip() for one in str(answer).split(",")]
    if all(one.isascii() and one.isdigit() for one in numbers):
        # A shorter one is the answer of an account without numbers.
        return {"numbers": [one for one in numbers if 10 <= len(one) <= 20]}
    return answer if isinstance(answer, dict) else {"message": str(answer)}


class Done(StatusAnswer):
    """An answer that says whether it is done, also with HTTP 200, and as XML."""

    status: Flag = Field(validation_alias=AliasChoices("status", "success"))
    remark: OrDefault[Remark] = Field(
        default="", validation_alias=AliasChoices("error", "message", "msg", "remark")
    )
    waybill: OrDefault[Text] = ""
    data: OrDefault[dict[str, Any]] = {}


def days_from(body: Any) -> tuple[int, int]:
    """Return the days of a lane (/api/dc/expected_tat). Raises Rejected where it is not served."""
    days = READER.parse_accepted(Done, body, "transit").data.get("tat")
    if not isinstance(days, int) or not 0 <= days <= 365:
        raise READER.unreadable("transit", "tat")
    return days, days


class Pickup(Answer):
    """/fm/request/new/; day and time may differ from those that were asked for."""

    pickup_id: RequiredId
    incoming_center_name: OrDefault[Text] = ""
    pickup_date: OrDefault[Text] = ""
    pickup_time: OrDefault[Text] = ""

    def result(self) -> ActionResult:
        return ActionResult(remark=" ".join(filter(None, self.model_dump().values())))


class Queued(Answer):
    """/api/p/update: nothing is done yet."""

    request_id: RequiredId = Field(max_length=80)
    message: OrDefault[Remark] = ""


class Line(Answer):
    waybill: Text = ""
    message: OrDefault[Remark] = ""


class QueuedOutcome(Answer):
    """/api/cmu/get_bulk_upl/{request_id}; its own `status` says nothing of one waybill."""

    request_id: RequiredId
    done: list[Line] = Field(default=[], alias="success_wbns")
    failed: list[Line] = Field(default=[], alias="failed_wbns")


def outcome_from(body: Any, waybill: str, handle: str) -> ActionResult:
    """Return how an accepted action ended for a waybill. Raises Rejected."""
    answer = READER.parse(QueuedOutcome, body, "ndr_outcome")
    if any(line.waybill == waybill for line in answer.done):
        return ActionResult()
    words = next((line.message for line in answer.failed if line.waybill == waybill), None)
    if words is None or "being performed" in words.casefold():
        return ActionResult(ActionState.ACCEPTED, handle=handle)
    raise READER.rejection("ndr_outcome", words)


class Label(Answer):
    """/api/p/packing_slip; no packages for an unknown waybill."""

    packages: list[dict[str, Any]]


class Proof(Answer):
    """/api/rest/fetch/pkg/document/."""

    data: dict[str, list[Text]]


def label_from(body: Any, waybill: str) -> DocumentLink:
    """Return the link of a label, which ends after a day. Raises NotFound."""
    packages = READER.parse(Label, body, "label").packages
    links = [str(one.get("pdf_download_link") or "") for one in packages]
    return _link("label", links, f"label-{waybill}.pdf", _PICTURES[:1])


def proof_from(body: Any, waybill: str) -> DocumentLink:
    """Return the link of a proof of delivery, which ends after seven days. Raises NotFound."""
    links = READER.parse(Proof, body, "document").data.get("EPOD", [])
    return _link("document", links, f"proof-{waybill}", _PICTURES)


def _link(operation: str, links: list[str], name: str, kinds: tuple[str, ...]) -> DocumentLink:
    if not links or not links[0]:
        raise NotFound("there is no document", courier="delhivery", operation=operation)
    return DocumentLink(links[0], name, kinds)


class Charges(Answer):
    """/api/kinko/v1/invoice/charges/.json, in rupees; `total` has the tax in it."""

    total: Rupees = Field(alias="total_amount")
    gross: OrDefault[Rupees | None] = Field(default=None, alias="gross_amount")
    freight: OrDefault[Rupees] = Field(default=_NOTHING, alias="charge_DL")
    freight_back: OrDefault[Rupees] = Field(default=_NOTHING, alias="charge_DTO")
    cod: OrDefault[Rupees] = Field(default=_NOTHING, alias="charge_COD")
    fuel: OrDefault[Rupees] = Field(default=_NOTHING, alias="charge_FSC")
    diesel: OrDefault[Rupees] = Field(default=_NOTHING, alias="charge_DPH")
    rto: OrDefault[Rupees] = Field(default=_NOTHING, alias="charge_RTO")
    zone: OrDefault[Text] = ""
    weight_g: OrDefault[Decimal | None] = Field(default=None, alias="charged_weight")


def quote_from(body: Any, service: str) -> RateQuote:
    """Return a price in rupees. Raises Rejected for a price of 0, which the test server answers."""
    rows = READER.parse_list(Charges, body, "charges")
    if not rows or rows[0].total <= 0:
        raise READER.rejection("charges", "the price is 0", "Delhivery gives no price")
    found = rows[0]
    tax = _NOTHING if found.gross is None else found.total - found.gross
    parts = {"shipping": found.freight + found.freight_back, "cod": found.cod, "tax": tax}
    # Only a parcel that goes back to its origin costs the last one.
    parts |= {"fuel": found.fuel + found.diesel, "rto": found.rto}
    return RateQuote(
        service,
        to_paisa(found.total),
        {name: to_paisa(amount) for name, amount in parts.items() if amount},
        zone=found.zone,
        billed_weight_g=None if found.weight_g is None else round(found.weight_g),
    )


class Pincode(Answer):
    pin: Text
    prepaid: OrDefault[Flag] = Field(default=False, alias="pre_paid")
    cod: OrDefault[Flag] = False
    pickup: OrDefault[Flag] = False
    remarks: OrDefault[Remark] = ""
    city: OrDefault[Text] = ""
    state_code: OrDefault[Text] = ""
    max_amount: OrDefault[Rupees] = _NOTHING


class PincodeRow(Answer):
    postal_code: Pincode


class Pincodes(Answer):
    """/c/api/pin-codes/json/."""

    rows: list[PincodeRow] = Field(alias="delivery_codes")


def pincodes_from(body: Any) -> Iterator[Serviceability]:
    """Yield what Delhivery offers. `pickup` is both the first mile and returns."""
    for one in (row.postal_code for row in READER.parse(Pincodes, body, "pincodes").rows):
        is_open = "embargo" not in one.remarks.casefold()
        drop, pickup = is_open and (one.prepaid or one.cod), is_open and one.pickup
        yield Serviceability(
            one.pin,
            serviceable=drop or pickup,
            cod=is_open and one.cod,
            max_cod_amount=one.max_amount if one.max_amount > 0 else None,
            forward_pickup=pickup,
            forward_drop=drop,
            reverse_pickup=pickup,
            city=one.city,
            state=india.state_name(one.state_code) or one.state_code,
            remark=one.remarks,
        )
