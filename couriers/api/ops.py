"""For staff: bookings in doubt and circuits. Sessions of the admin, never a merchant's key."""

from __future__ import annotations

from typing import Any

import structlog
from django.contrib.admin.models import CHANGE, LogEntry
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from couriers.api import serializers as s
from couriers.api.permissions import IsPermittedStaff, to_view
from couriers.booking.answers import shipment_data
from couriers.contract.statuses import Status
from couriers.models import CourierAccount, Shipment
from couriers.operations import doubt
from couriers.operations.decisions import MAX_REASON
from couriers.operations.evidence import Evidence, evidence_of_all
from couriers.resilience.circuit_breaker import CircuitBreaker

log = structlog.get_logger(__name__)

PAGE = 100
MANY = 1000  # accounts
CONFLICT = {
    (status, "application/problem+json"): s.ProblemSerializer for status in (400, 403, 404, 409)
}


TO_SETTLE_DOUBT = ("shipcrowd_couriers.settle_doubt",)


class OpsView(APIView):
    """What staff sees, of all companies. Any one of the permissions in `needs` lets in."""

    authentication_classes = [SessionAuthentication]
    permission_classes = [IsPermittedStaff]
    needs: tuple[str, ...]


class InDoubtSerializer(serializers.Serializer[Any]):
    """A booking in doubt with its evidence."""

    shipment = s.ShipmentSerializer()
    company = serializers.CharField()
    in_doubt_since = serializers.DateTimeField()
    later_bookings = serializers.IntegerField()
    confirmed_by_callback = serializers.IntegerField()
    flow = serializers.CharField()
    suggestion = serializers.CharField()


class ResolveSerializer(s.Strict):
    """It exists at the courier."""

    tracking_id = serializers.CharField(max_length=100)
    waybill = serializers.CharField(max_length=100, required=False, default="")
    reason = serializers.CharField(max_length=MAX_REASON)


class ReleaseSerializer(s.Strict):
    """It does not exist at the courier."""

    reason = serializers.CharField(max_length=MAX_REASON)


class InDoubtView(OpsView):
    """Bookings whose outcome nobody knows."""

    needs = to_view(Shipment)

    @extend_schema(responses={200: InDoubtSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The hundred oldest bookings in doubt, with what is known of each."""
        doubts = Shipment.objects.filter(status=Status.IN_DOUBT).select_related("company")
        found = list(doubts.order_by("id")[:PAGE])
        return Response([*map(_with_evidence, found, evidence_of_all(found))])


class SettleView(OpsView):
    """An operator's decision on one booking in doubt."""

    needs = TO_SETTLE_DOUBT

    def settled(self, request: Request, pk: str, action: Any, **values: str) -> Response:
        """The shipment after the decision. Raises NotInDoubt and TooEarly."""
        get_object_or_404(Shipment, pk=pk)
        return Response(shipment_data(action(pk, actor=request.user, **values)))


class ResolveView(SettleView):
    """It exists."""

    @extend_schema(request=ResolveSerializer, responses={200: s.ShipmentSerializer, **CONFLICT})
    def post(self, request: Request, pk: str) -> Response:
        """The courier has it, under this tracking id: its key replays it as booked."""
        asked = ResolveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self.settled(request, pk, doubt.resolve, **asked.validated_data)


class ReleaseView(SettleView):
    """It does not exist."""

    @extend_schema(request=ReleaseSerializer, responses={200: s.ShipmentSerializer, **CONFLICT})
    def post(self, request: Request, pk: str) -> Response:
        """The courier does not have it: the order may be booked again."""
        asked = ReleaseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self.settled(request, pk, doubt.release, **asked.validated_data)


class CircuitSerializer(serializers.Serializer[Any]):
    """The circuit of one account with its courier."""

    account = serializers.CharField()
    company = serializers.CharField()
    courier = serializers.CharField()
    state = serializers.ChoiceField(choices=["closed", "half_open", "open"])


class CircuitsView(OpsView):
    """Circuit breakers."""

    needs = to_view(CourierAccount)

    @extend_schema(responses={200: CircuitSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """Every account's circuit that is not closed."""
        accounts = CourierAccount.objects.select_related("company").order_by("id")[:MANY]
        found = [_circuit(account) for account in accounts]
        return Response([circuit for circuit in found if circuit["state"] != "closed"])


class CircuitView(OpsView):
    """One account's circuit."""

    needs = TO_SETTLE_DOUBT

    @extend_schema(request=None, responses={200: CircuitSerializer, **CONFLICT})
    def delete(self, request: Request, pk: str) -> Response:
        """Close the circuit by hand, so that the next call is made. The history tells who did."""
        account = get_object_or_404(CourierAccount.objects.select_related("company"), pk=pk)
        CircuitBreaker.of_account(account.courier_id, account.pk).reset()
        assert request.user.is_authenticated
        log.warning("circuit_reset", account=account.pk, actor=request.user.pk)
        LogEntry.objects.log_actions(
            user_id=request.user.pk,
            queryset=CourierAccount.objects.filter(pk=account.pk),
            action_flag=CHANGE,
            change_message="Circuit closed by hand.",
        )
        return Response(_circuit(account))


def _circuit(account: CourierAccount) -> dict[str, str]:
    return {
        "account": account.pk,
        "company": account.company.slug,
        "courier": account.courier_id,
        "state": CircuitBreaker.of_account(account.courier_id, account.pk).state(),
    }


def _with_evidence(shipment: Shipment, evidence: Evidence) -> dict[str, Any]:
    return {
        "shipment": shipment_data(shipment),
        "company": shipment.company.slug,
        "in_doubt_since": evidence.in_doubt_since,
        "later_bookings": evidence.later,
        "confirmed_by_callback": evidence.confirmed,
        "flow": evidence.flow,
        "suggestion": evidence.suggestion,
    }
