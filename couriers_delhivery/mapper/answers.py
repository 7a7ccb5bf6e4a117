"""Read Delhivery's answers into neutral dataclasses, tolerantly (couriers.contract.reading). Pure.

An answer that cannot be read raises Unknown, because Delhivery may have done the work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import Field

from couriers.contract import india
from couriers.contract.actions import ActionResult, ActionState
from couriers.contract.documents import DocumentLink
from couriers.contract.errors import NotDone, NotFound, Rejected
from couriers.contract.money import to_paisa
from couriers.contract.reading import (
    Answer,
    Flag,
    Identifier,
    OrDefault,
    Reader,
    Remark,
    RequiredId,
    Rupees,
    Text,
)
from couriers.contract.statuses import AWAITING_PICKUP, Status
from couriers.contract.types import RateQuote, Serviceability
from couriers.contract.words import clean_message
from couriers_delhivery.mapper.sent import WORD_FIELDS

READER = Reader("delhivery")
# A shorter one is the answer of an account without numbers.
_WAYBILL = re.compile(r"[0-9]{10,20}")
TOO_NEW = 60.0  # seconds until a new shipment can be cancelled and changed
_PICTURES = ("application/pdf", "image/jpeg", "image/png")


def numbers_in(body: bytes) -> Any:
    """Decode an answer with reserved numbers: {"numbers": […]}, or {"message": words}.

    It is a JSON string, one number or several with commas between. Raises ValueError.
    """
    answer = json.loads(body)
    numbers = [one.strip() for one in str(answer).split(",")]
    if isinstance(answer, dict):
        return answer
    if all(one.isdigit() for one in numbers):
        return {"numbers": numbers}
    return {"message": str(answer)}


class Numbers(Answer):
    """/waybill/api/bulk/json/ and /waybill/api/fetch/json/, decoded by `numbers_in`."""

    numbers: list[Text]

    def waybills(self) -> list[str]:
        """Return those that are waybills."""
        return [one for one in self.numbers if _WAYBILL.fullmatch(one)]


class EditAnswer(Answer):
    """/api/p/edit, as JSON or XML; HTTP 200 also where `status` is false or "Failure"."""

    status: Flag
    error: OrDefault[Remark] = ""
    remark: OrDefault[Remark] = ""
    waybill: OrDefault[Identifier] = ""


def edit_from(body: Any, waybill: str) -> str:
    """Return the words of an edit or a cancellation that is done. Raises Rejected.

    Raises NotDone for a shipment that Delhivery does not know, or not yet, and Unknown for an
    answer about another one.
    """
    answer = READER.parse(EditAnswer, body, "edit")
    words = answer.error or answer.remark
    if answer.status:
        if answer.waybill not in ("", waybill):
            raise READER.unknown("edit", "the answer is about another shipment")
        return clean_message(words)
    if "incorrect waybill" in words.casefold():
        raise NotDone(
            "Delhivery does not know the shipment, or not yet: a new one takes about a minute",
            courier=READER.courier,
            operation="edit",
            courier_message=clean_message(words),
            retry_after=TOO_NEW,
        )
    raise READER.rejection("edit", words)


def status_after_cancel(status: Status | None) -> Status | None:
    """Return a forward shipment's status after its cancellation: on its way it travels back."""
    if status is None:
        return None
    return Status.CANCELLED if status in AWAITING_PICKUP else Status.RTO_REQUESTED


class Queued(Answer):
    """/api/p/update: nothing is done yet."""

    request_id: RequiredId = Field(max_length=80)
    message: OrDefault[Remark] = ""


class Line(Answer):
    waybill: Identifier = ""
    message: OrDefault[Remark] = ""


class QueuedOutcome(Answer):
    """/api/cmu/get_bulk_upl/{request_id}; its own `status` says nothing of one waybill."""

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


class PickupAnswer(Answer):
    """/fm/request/new/; place and time may differ from those that were asked for."""

    pickup_id: RequiredId
    incoming_center_name: OrDefault[Text] = ""
    pickup_date: OrDefault[Text] = ""
    pickup_time: OrDefault[Text] = ""

    def result(self) -> ActionResult:
        parts = (self.pickup_id, self.incoming_center_name, self.pickup_date, self.pickup_time)
        return ActionResult(remark=" ".join(part for part in parts if part))


def accept_open_pickup(refusal: Rejected) -> ActionResult:
    """Return done if a pickup is open already, or every parcel is fetched anyway; else raise it."""
    words = refusal.courier_message.casefold()
    if not any(one in words for one in ("already exist", "pr_exist: true", "auto pickup")):
        raise refusal
    return ActionResult(remark=refusal.courier_message)


def pickup_words(body: Any) -> str:
    """Return the words of a refused pickup, whose keys are the fields that are wrong."""
    fields = body.items() if isinstance(body, dict) else ()
    return "; ".join(f"{name}: {value}" for name, value in fields if not isinstance(value, dict))


class LabelRow(Answer):
    waybill: OrDefault[Identifier] = Field(default="", alias="wbn")
    link: OrDefault[Text] = Field(default="", alias="pdf_download_link")


class LabelAnswer(Answer):
    """/api/p/packing_slip; no packages for an unknown waybill."""

    packages: list[LabelRow]


def label_from(body: Any, waybill: str) -> DocumentLink:
    """Return the link of a label, which ends after a day. Raises NotFound."""
    rows = READER.parse(LabelAnswer, body, "label").packages
    link = next((row.link for row in rows if row.waybill in ("", waybill) and row.link), "")
    if not link:
        raise NotFound("there is no label", courier=READER.courier, operation="label")
    return DocumentLink(link, f"label-{waybill}.pdf")


def label_data_from(body: Any) -> list[dict[str, Any]]:
    """Return what a label says, as Delhivery's own JSON."""
    packages = body.get("packages") if isinstance(body, dict) else None
    if not isinstance(packages, list) or not all(isinstance(one, dict) for one in packages):
        raise READER.unreadable("label", "packages")
    return packages


class DocumentAnswer(Answer):
    """/api/rest/fetch/pkg/document/; the links end after seven days."""

    data: dict[str, Any]


def proof_from(body: Any, waybill: str) -> DocumentLink:
    """Return the link of a proof of delivery. Raises NotFound."""
    found = READER.parse(DocumentAnswer, body, "document").data.get("EPOD") or []
    links = [one for one in found if isinstance(one, str)] if isinstance(found, list) else []
    if not links:
        raise NotFound("there is no proof yet", courier=READER.courier, operation="document")
    return DocumentLink(links[0], f"proof-{waybill}", _PICTURES)


class SuccessAnswer(Answer):
    """An answer that says in `success` whether it is done."""

    success: Flag
    error: OrDefault[Remark] = ""
    message: OrDefault[Remark] = ""
    data: OrDefault[dict[str, Any]] = {}

    def require(self, operation: str) -> None:
        """Raise Rejected where it is not done, also with HTTP 200."""
        if not self.success:
            raise READER.rejection(operation, self.error or self.message)


class Charges(Answer):
    """/api/kinko/v1/invoice/charges/.json, in rupees; `total` has the tax in it."""

    total: Rupees = Field(alias="total_amount")
    gross: OrDefault[Rupees | None] = Field(default=None, alias="gross_amount")
    shipping: OrDefault[Rupees] = Field(default=Decimal(0), alias="charge_DL")
    returned: OrDefault[Rupees] = Field(default=Decimal(0), alias="charge_DTO")
    cod: OrDefault[Rupees] = Field(default=Decimal(0), alias="charge_COD")
    fuel: OrDefault[Rupees] = Field(default=Decimal(0), alias="charge_FSC")
    diesel: OrDefault[Rupees] = Field(default=Decimal(0), alias="charge_DPH")
    rto: OrDefault[Rupees] = Field(default=Decimal(0), alias="charge_RTO")
    zone: OrDefault[Text] = ""
    weight_g: OrDefault[Decimal | None] = Field(default=None, alias="charged_weight")


def quote_from(body: Any, service: str) -> RateQuote:
    """Return a price in rupees. Raises Rejected for a price of 0, which the test server answers."""
    rows = READER.parse_list(Charges, body, "charges")
    if not rows or rows[0].total <= 0:
        raise READER.rejection("charges", "the price is 0", "Delhivery gives no price")
    found = rows[0]
    parts = {
        "shipping": found.shipping + found.returned,
        "cod": found.cod,
        "fuel": found.fuel + found.diesel,
        "tax": Decimal(0) if found.gross is None else found.total - found.gross,
        # Only a parcel that goes back to its origin costs this.
        "rto": found.rto,
    }
    return RateQuote(
        service=service,
        total=to_paisa(found.total),
        parts={name: to_paisa(amount) for name, amount in parts.items() if amount},
        zone=found.zone,
        billed_weight_g=None if found.weight_g is None else round(found.weight_g),
    )


class Transit(Answer):
    """/api/dc/expected_tat; `tat` is in days."""

    success: Flag
    words: OrDefault[Remark] = Field(default="", alias="msg")
    data: OrDefault[dict[str, Any]] = {}

    def days(self) -> tuple[int, int]:
        """Return the fewest and the most days. Raises Rejected for a lane that is not served."""
        if not self.success:
            raise READER.rejection("transit", self.words)
        days = self.data.get("tat")
        if not isinstance(days, int) or not 0 <= days <= 365:
            raise READER.unreadable("transit", "tat")
        return days, days


class Pincode(Answer):
    pin: Text
    prepaid: OrDefault[Flag] = Field(default=False, alias="pre_paid")
    cod: OrDefault[Flag] = False
    pickup: OrDefault[Flag] = False
    remarks: OrDefault[Remark] = ""
    city: OrDefault[Text] = ""
    state_code: OrDefault[Text] = ""
    max_amount: OrDefault[Rupees] = Decimal(0)

    def serviceability(self) -> Serviceability:
        """Return what Delhivery offers there. `pickup` is both the first mile and returns."""
        embargo = "embargo" in self.remarks.casefold()
        drop = self.prepaid or self.cod
        return Serviceability(
            pincode=self.pin,
            serviceable=not embargo and (drop or self.pickup),
            cod=self.cod and not embargo,
            max_cod_amount=self.max_amount if self.max_amount > 0 else None,
            forward_pickup=self.pickup and not embargo,
            forward_drop=drop and not embargo,
            reverse_pickup=self.pickup and not embargo,
            city=self.city,
            state=india.state_name(self.state_code) or self.state_code,
            remark=self.remarks,
        )


class PincodeRow(Answer):
    postal_code: Pincode


class PincodeAnswer(Answer):
    """/c/api/pin-codes/json/."""

    rows: list[PincodeRow] = Field(alias="delivery_codes")


def pincodes_from(body: Any) -> Iterator[Serviceability]:
    """Yield the pincodes of an answer."""
    for row in READER.parse(PincodeAnswer, body, "pincodes").rows:
        yield row.postal_code.serviceability()


def words_of(body: Any) -> str:
    """Return every word for people in an answer, in lower case, for a judge to look into."""
    if not isinstance(body, dict):
        return ""
    return " ".join(str(body[name]) for name in WORD_FIELDS if body.get(name)).casefold()
