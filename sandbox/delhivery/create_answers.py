"""The answers of the create call, HTTP 200 in every case, and those that leave it unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.delhivery.create_body import Unreadable, read_create
from sandbox.delhivery.shipments import MODES, DelhiveryShipment, number_in
from sandbox.faults import OperationFault

INTERNAL = "An internal Error has occurred, Please get in touch with client.support@delhivery.com"
FRAME = (
    "Crashing while saving package due to exception {reason}. "
    "Package might have been partially saved."
)
OTHER_ENVIRONMENT = "'NoneType' object has no attribute 'end_date'"
MIGHT_BE_SAVED = "Request could not be completed in time. Package might be saved."


def saved(shipment: DelhiveryShipment, sort_code: str | None) -> dict[str, Any]:
    """A package that is booked."""
    return {
        "status": "Success",
        "client": shipment.client,
        "sort_code": sort_code,
        "remarks": [""],
        "waybill": shipment.tracking_id,
        "cod_amount": shipment.cod_amount,
        "payment": shipment.mode,
        "serviceable": True,
        "refnum": shipment.order_number,
    }


def failed(
    package: dict[str, Any], client: str, reason: str, *, code: str = "", as_text: bool = False
) -> dict[str, Any]:
    """A package that is not booked. The frame of the reason is the same whatever it is."""
    remark = FRAME.format(reason=reason)
    return {
        "status": "Fail",
        "client": client,
        "sort_code": None,
        "remarks": remark if as_text else [remark],
        "waybill": "",
        "cod_amount": number_in(package.get("cod_amount")) or 0.0,
        "payment": MODES.get(str(package.get("payment_mode")), ""),
        "serviceable": "non serviceable" not in reason,
        "refnum": str(package.get("order", "")),
        **({"err_code": code} if code else {}),
    }


def answer(packages: Sequence[dict[str, Any]], upload: str | None, rmk: str = "") -> web.Response:
    """The whole answer. Without packages the whole request is refused, and `rmk` says why."""
    success = bool(packages) and all(one["status"] == "Success" for one in packages)
    body: dict[str, Any] = {
        "cash_pickups_count": 0.0,
        "package_count": len(packages),
        "upload_wbn": upload,
        "replacement_count": _count(packages, "REPL"),
        "pickups_count": _count(packages, "Pickup"),
        "packages": list(packages),
        "cash_pickups": 0.0,
        "cod_count": _count(packages, "COD"),
        "prepaid_count": _count(packages, "Pre-paid"),
        "cod_amount": sum(one["cod_amount"] for one in packages),
        "success": success,
    }
    if not success:
        body |= {"error": True, "rmk": rmk or INTERNAL}
    return web.json_response(body)


def _count(packages: Sequence[dict[str, Any]], payment: str) -> int:
    return sum(one["payment"] == payment for one in packages)


def _failing_with(reason: str) -> OperationFault:
    """A fault whose answer names each package of the request with this reason."""

    async def make(request: web.Request) -> web.Response:
        try:
            packages = read_create(request.content_type, await request.read()).packages
        except Unreadable as error:
            return answer((), None, str(error))
        names = {"order": "", "waybill": ""}
        return answer(
            [
                failed(one, "", reason.format(**{n: one.get(n, "") for n in names}))
                for one in packages
            ],
            None,
        )

    return OperationFault("create_shipment", make)


def _refusing_with(rmk: str) -> OperationFault:
    async def make(_: web.Request) -> web.Response:
        return answer((), None, rmk)

    return OperationFault("create_shipment", make)


async def _too_many(_: web.Request) -> web.Response:
    answered = web.json_response({"detail": "Request was throttled."}, status=429)
    answered.headers["Retry-After"] = "1"
    return answered


_AMBIGUOUS = {
    "partial_save": _failing_with("Internal server error"),
    "might_be_saved": _refusing_with(MIGHT_BE_SAVED),
    "duplicate_order": _failing_with("Duplicate Order Id : {order}"),
    "duplicate_waybill": _failing_with("Duplicate waybill"),
    "other_environment": _refusing_with(OTHER_ENVIRONMENT),
}
# Each is given before anything was saved, and after everything was.
CREATE_FAULTS: dict[str, OperationFault] = {
    **{
        f"{kind}_{when}": fault
        for kind, fault in _AMBIGUOUS.items()
        for when in ("before", "after")
    },
    "rate_limited": OperationFault("create_shipment", _too_many),
}
