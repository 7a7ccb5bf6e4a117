"""What a shipment's answer has besides, where `expand` asks for it: scans, actions and calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from couriers.api.action_bodies import ActionSerializer
from couriers.api.fields import moment
from couriers.api.serializers import ScanSerializer, ShipmentSerializer
from couriers.booking.answers import scan_data, time_text
from couriers.contract.masking import mask_text
from couriers.models import CourierCall, Shipment
from couriers.models.call import Outcome

MOST = {"scans": 500, "actions": 100, "calls": 100}  # the newest rows of each
CONSIGNEE = "consignee"  # in a list its decryption would take a third of the time


def _parameter(words: Iterable[str], description: str) -> OpenApiParameter:
    return OpenApiParameter(
        "expand", str, enum=list(words), many=True, explode=False, style="form",
        description=description,
    )  # fmt: skip


EXPAND = _parameter(
    MOST,
    "What to show besides, separated by commas: the newest "
    + ", ".join(f"{count} {name}" for name, count in MOST.items())
    + ".",
)
EXPAND_LIST = _parameter((CONSIGNEE,), "`consignee` shows the consignees, who are null without.")


class CallSerializer(serializers.Serializer[Any]):
    """A call to the courier that was to change something. `message` has its words, masked."""

    operation = serializers.CharField()
    attempt = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    http_status = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()
    started_at = moment()
    finished_at = moment(allow_null=True)


class ShipmentDetailSerializer(ShipmentSerializer):
    """A shipment with what `expand` asks for. A member that it does not ask for is null."""

    scans = ScanSerializer(many=True, allow_null=True)
    actions = ActionSerializer(many=True, allow_null=True)
    calls = CallSerializer(many=True, allow_null=True)

    class Meta(ShipmentSerializer.Meta):
        fields: Any = (*ShipmentSerializer.Meta.fields, *MOST)


def words_of(request: Request, known: Iterable[str]) -> set[str]:
    """Return the words of `expand`. Raises ValidationError for one that is not known."""
    words = {word for text in request.query_params.getlist("expand") for word in text.split(",")}
    if unknown := sorted(words.difference(known)):
        message = f"{unknown[0][:40]!r} is not one of {', '.join(known)}"
        raise ValidationError({"expand": [message]})
    return words


def expanded(request: Request, shipment: Shipment) -> dict[str, list[Any] | None]:
    """Return the members that `expand` asks for, and None for the others.

    Raises ValidationError for a word that is none of them.
    """
    words = words_of(request, MOST)
    return {name: _ROWS[name](shipment, MOST[name]) if name in words else None for name in MOST}


def _scans(shipment: Shipment, most: int) -> list[Any]:
    newest = shipment.scans.order_by("-at", "-id")[:most]
    return [scan_data(scan) for scan in reversed(newest)]


def _actions(shipment: Shipment, most: int) -> list[Any]:
    rows = ActionSerializer(shipment.actions.order_by("-id")[:most], many=True).data
    return [_with_texts(row) for row in rows]


def _calls(shipment: Shipment, most: int) -> list[Any]:
    return [_call_data(call) for call in shipment.calls.order_by("-id")[:most]]


def _call_data(call: CourierCall) -> dict[str, Any]:
    return {
        "operation": call.operation,
        "attempt": call.attempt,
        "outcome": call.outcome,
        "http_status": call.http_status,
        "code": call.code,
        "message": mask_text(call.message),
        "started_at": time_text(call.started_at),
        "finished_at": call.finished_at and time_text(call.finished_at),
    }


def _with_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members with times as texts, as the API's renderer writes them."""
    return {n: time_text(v) if hasattr(v, "astimezone") else v for n, v in row.items()}


_ROWS: Mapping[str, Callable[[Shipment, int], list[Any]]] = {
    "scans": _scans,
    "actions": _actions,
    "calls": _calls,
}
