"""Ekart's 18 operations, its login, and what its answers mean (Ekart API 3.8.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from couriers.contract.errors import NotFound, Rejected, UnknownPickupAlias
from couriers.http.calls import SentFields
from couriers.http.client import CourierClient
from couriers.http.logins import NewToken, TokenLogin
from couriers.http.outcomes import Answer, AnswerTable, Verdict
from couriers_ekart.mapper.answers import parse
from couriers_ekart.mapper.schemas import TokenAnswer
from couriers_ekart.mapper.sent import NAME_FIELDS, OPEN_FIELDS, WORD_FIELDS
from couriers_ekart.wire.limits import ANSWER_SIZES, DEFAULT_LIMITS

NOT_FOUND = "SWIFT_RESOURCE_NOT_FOUND_EXCEPTION"


def _unknown_alias(answer: Answer) -> Verdict | None:
    if answer.code == NOT_FOUND and "pickup_location" in answer.words:
        return Verdict(UnknownPickupAlias, "the pickup address is not registered")
    return None


def _token_from(answer: Any) -> NewToken:
    token = parse(TokenAnswer, answer, "get_token")
    return NewToken(token.access_token, token.expires_in, token.token_type)


class EkartClient(CourierClient):
    """The calls of one account, each with decoded JSON, or a PDF's bytes where it says so."""

    courier = "ekart"
    limits = DEFAULT_LIMITS
    answer_sizes = ANSWER_SIZES
    accept = "application/json, application/octet-stream"
    metrics_prefix = "ekart"
    sent_fields = SentFields(open=OPEN_FIELDS, names=NAME_FIELDS)
    # The same token for 24 hours.
    login = TokenLogin(
        "get_token",
        "/integrations/v2/auth/token/{client_id}",
        body={"username": "username", "password": "password"},
        read=_token_from,
    )
    # A code is often in `message` (schema `error`).
    table = AnswerTable(
        codes={
            NOT_FOUND: Verdict(NotFound, "not found"),
            "SWIFT_VALIDATION_EXCEPTION": Verdict(Rejected, "refused"),
            "SWIFT_MALFORMED_INPUT_EXCEPTION": Verdict(Rejected, "refused"),
            "PATH_NOT_IMPLEMENTED": Verdict(Rejected, "refused"),
        },
        code_fields=("message", "code"),
        word_fields=WORD_FIELDS,
        judge=_unknown_alias,
    )

    def create_shipment(self, payload: Mapping[str, Any]) -> Any:
        """PUT /api/v1/package/create: not idempotent, and Ekart cannot be searched for it."""
        pickup = payload.get("pickup_location", {})
        alias = (str(pickup["name"]),) if set(pickup) == {"name"} else ()
        return self.call(
            "create_shipment", "PUT", "/api/v1/package/create", json=payload, ids=alias
        )

    def cancel_shipment(self, tracking_id: str) -> Any:
        """DELETE /api/v1/package/cancel."""
        ids = {"tracking_id": tracking_id}
        return self.call("cancel_shipment", "DELETE", "/api/v1/package/cancel", params=ids)

    def set_dispatch_date(self, payload: Mapping[str, Any]) -> Any:
        """POST /data/shipment/dispatch-date, for at most 100 ids."""
        return self.call("set_dispatch_date", "POST", "/data/shipment/dispatch-date", json=payload)

    def label(self, tracking_ids: Sequence[str]) -> bytes | Any:
        """POST /api/v1/package/label for at most 100 ids: a PDF, or JSON with a refusal."""
        ids = {"ids": list(tracking_ids)}
        return self.call("label", "POST", "/api/v1/package/label", json=ids)

    def label_data(self, tracking_ids: Sequence[str]) -> Any:
        """POST /api/v1/package/label?json_only=true: what the labels say, as JSON."""
        ids, only = {"ids": list(tracking_ids)}, {"json_only": "true"}
        return self.call("label", "POST", "/api/v1/package/label", json=ids, params=only)

    def manifest(self, tracking_ids: Sequence[str]) -> Any:
        """POST /data/v2/generate/manifest, for at most 100 ids."""
        ids = {"ids": list(tracking_ids)}
        return self.call("manifest", "POST", "/data/v2/generate/manifest", json=ids)

    def ndr(self, payload: Mapping[str, Any]) -> Any:
        """POST /api/v2/package/ndr: another attempt, or a return to origin."""
        return self.call("ndr", "POST", "/api/v2/package/ndr", json=payload)

    def track(self, tracking_id: str) -> Any:
        """GET /api/v1/track/{id}, which needs no token."""
        path = f"/api/v1/track/{quote(tracking_id, safe='')}"
        return self.call("track", "GET", path, ids=(tracking_id,), needs_login=False)

    def raw_track(self, waybill: str) -> Any:
        """GET /data/v1/elite/track/{wbn}: the network's own history."""
        path = f"/data/v1/elite/track/{quote(waybill, safe='')}"
        return self.call("raw_track", "GET", path, ids=(waybill,))

    def estimate(self, payload: Mapping[str, Any]) -> Any:
        """POST /data/pricing/estimate."""
        return self.call("estimate", "POST", "/data/pricing/estimate", json=payload)

    def serviceability(self, pincode: str) -> Any:
        """GET /api/v2/serviceability/{pincode}."""
        return self.call("serviceability", "GET", f"/api/v2/serviceability/{int(pincode)}")

    def lane_serviceability(self, payload: Mapping[str, Any]) -> Any:
        """POST /data/v3/serviceability: who serves a lane, and in how many days."""
        return self.call("lane_serviceability", "POST", "/data/v3/serviceability", json=payload)

    def bulk_serviceability(self, kind: str) -> Any:
        """GET /data/serviceability/bulk/{type}: every pincode; `kind` is NON_LARGE or LARGE."""
        path = f"/data/serviceability/bulk/{quote(kind, safe='')}"
        return self.call("bulk_serviceability", "GET", path)

    def add_address(self, payload: Mapping[str, Any]) -> Any:
        """POST /api/v2/address."""
        return self.call("add_address", "POST", "/api/v2/address", json=payload)

    def list_addresses(self) -> Any:
        """GET /api/v2/addresses."""
        return self.call("list_addresses", "GET", "/api/v2/addresses")

    def list_webhooks(self) -> Any:
        """GET /api/v2/webhook."""
        return self.call("list_webhooks", "GET", "/api/v2/webhook")

    def add_webhook(self, payload: Mapping[str, Any]) -> Any:
        """POST /api/v2/webhook."""
        return self.call("add_webhook", "POST", "/api/v2/webhook", json=payload)

    def edit_webhook(self, webhook_id: str, payload: Mapping[str, Any]) -> Any:
        """PUT /api/v2/webhook/{webhook_id}."""
        path = f"/api/v2/webhook/{quote(webhook_id, safe='')}"
        return self.call("edit_webhook", "PUT", path, json=payload)
