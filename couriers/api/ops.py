"""The API for staff: bookings in doubt and circuits.

Authenticated by a session of the admin, never by a company's API key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import AdminSession, ApiKeyAuthentication
from couriers.api.base import ApiView
from couriers.api.fields import moment, text
from couriers.api.permissions import IsPermittedStaff, view_permissions
from couriers.api.problem_schema import problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import ShipmentSerializer, StrictSerializer
from couriers.booking.answers import shipment_data
from couriers.contract.statuses import Status
from couriers.models import CourierAccount, Shipment
from couriers.models.inquiry import InquiryAnswer
from couriers.operations import circuits, doubt
from couriers.operations.decisions import MAX_REASON
from couriers.operations.evidence import Evidence, InquiryFacts, evidence_of_all
from couriers.operations.refusals import record_refusal
from couriers.operations.staff import visible_to
from couriers.operations.tracking_id_check import MAX_ID

MAX_DOUBTS = 100  # in one response
MAX_ACCOUNTS = 1000  # in one response


class OpsView(ApiView):
    """Base of the views for staff, who see the rows of the companies that they are held to.

    Every query of a view goes through `visible_to`. A subclass sets `allowed_by`. Any one of these
    permissions gives access.
    """

    authentication_classes = (AdminSession, ApiKeyAuthentication)
    permission_classes = (IsPermittedStaff,)
    allowed_by: tuple[str, ...]

    def permission_denied(
        self, request: Request, message: str | None = None, code: str | None = None
    ) -> NoReturn:
        """Raise PermissionDenied, and leave an entry of what staff may not change."""
        if getattr(request.user, "is_staff", False):  # not a company's key
            record_refusal(request._request, request.user)
        super().permission_denied(request, message, code)


class InquirySerializer(serializers.Serializer[Any]):
    """What the courier said when the platform asked about a booking in doubt."""

    asked = serializers.IntegerField()
    last_asked_at = moment(allow_null=True)
    last_answer = serializers.ChoiceField(choices=InquiryAnswer.choices, allow_blank=True)
    absences = serializers.IntegerField()
    first_absent_at = moment(allow_null=True)
    last_absent_at = moment(allow_null=True)
    next_attempt_at = moment(allow_null=True)
    settles_itself = serializers.BooleanField()


class InDoubtSerializer(serializers.Serializer[Any]):
    """A booking in doubt with the evidence for an operator's decision."""

    shipment = ShipmentSerializer()
    company = serializers.CharField()
    in_doubt_since = moment()
    later_bookings = serializers.IntegerField()
    confirmed_by_callback = serializers.IntegerField()
    last_callback_at = moment(allow_null=True)
    inquiry = InquirySerializer(allow_null=True)
    flow = serializers.CharField()
    suggestion = serializers.CharField()


class ResolveSerializer(StrictSerializer):
    """The decision that the courier has the booking, under `tracking_id`."""

    tracking_id = text(MAX_ID)
    waybill = text(MAX_ID, required=False, default="")
    reason = text(MAX_REASON)
    confirm_unchecked = serializers.BooleanField(
        default=False,
        help_text="True: take the id though the courier cannot say whether it is this order's.",
    )


class ReleaseSerializer(StrictSerializer):
    """The decision that the courier does not have the booking."""

    reason = text(MAX_REASON)


class InDoubtView(OpsView):
    """List bookings in doubt: the courier may or may not have them."""

    allowed_by = view_permissions(Shipment)

    @extend_schema(
        operation_id="list_bookings_in_doubt", responses={200: InDoubtSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """The hundred oldest bookings in doubt, each with its evidence."""
        in_doubt = Shipment.objects.filter(status=Status.IN_DOUBT).select_related("company")
        mine = visible_to(request.user, in_doubt)
        oldest = list(mine.order_by("id")[:MAX_DOUBTS])
        return Response([*map(_doubt_data, oldest, evidence_of_all(oldest))])


class SettleView(OpsView):
    """Base of the two decisions on a booking in doubt."""

    allowed_by = (doubt.PERMISSION,)

    def settle(
        self,
        request: Request,
        pk: str,
        decide: Callable[..., Shipment],
        serializer_class: type[StrictSerializer],
    ) -> Response:
        """Carry out the decision that the body describes. Returns the shipment after it.

        Raises ValidationError naming the fields, NotInDoubt and TooEarly.
        """
        serializer = serializer_class.from_data(request.data)
        get_object_or_404(visible_to(request.user, Shipment.objects.all()), pk=pk)
        return Response(shipment_data(decide(pk, actor=request.user, **serializer.validated_data)))


class ResolveView(SettleView):
    """Settle a booking in doubt as booked."""

    @extend_schema(
        operation_id="settle_as_booked",
        request=ResolveSerializer,
        responses={200: ShipmentSerializer, **problems("not-in-doubt", "unchecked-tracking-id")},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Settle a booking in doubt as booked, under the tracking id found at the courier.

        The courier is asked first. An id that it does not know, or knows for another order, is
        refused. Where it cannot say, the answer is `unchecked-tracking-id`: ask again with
        `confirm_unchecked`. From then on the booking's Idempotency-Key is answered as booked.
        """
        return self.settle(request, pk, doubt.resolve, ResolveSerializer)


class ReleaseView(SettleView):
    """Settle a booking in doubt as not booked."""

    @extend_schema(
        operation_id="settle_as_not_booked",
        request=ReleaseSerializer,
        responses={200: ShipmentSerializer, **problems("not-in-doubt", "too-early")},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Settle a booking in doubt as not booked. The order may then be booked again.

        Refused with `too-early` while the courier may still answer the booking's call.
        """
        return self.settle(request, pk, doubt.release, ReleaseSerializer)


class CircuitSerializer(serializers.Serializer[Any]):
    """The circuit breaker of an account's calls to its courier."""

    account = serializers.CharField()
    company = serializers.CharField()
    courier = serializers.CharField()
    state = serializers.ChoiceField(choices=["closed", "half_open", "open"])


class CircuitsView(OpsView):
    """List circuits."""

    allowed_by = view_permissions(CourierAccount)

    @extend_schema(responses={200: CircuitSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The circuits that are not closed."""
        accounts = visible_to(request.user, CourierAccount.objects.select_related("company"))
        circuits = [_circuit_data(account) for account in accounts.order_by("id")[:MAX_ACCOUNTS]]
        return Response([circuit for circuit in circuits if circuit["state"] != "closed"])


class CircuitView(OpsView):
    """Close one account's circuit."""

    allowed_by = (doubt.PERMISSION,)

    @extend_schema(operation_id="close_circuit", request=None, responses={200: CircuitSerializer})
    def delete(self, request: Request, pk: str) -> Response:
        """Close an account's circuit by hand, so that calls are made again.

        The audit trail says who did it.
        """
        accounts = visible_to(request.user, CourierAccount.objects.select_related("company"))
        account = get_object_or_404(accounts, pk=pk)
        assert request.user.is_authenticated
        circuits.close_circuit(account, actor=request.user)
        return Response(_circuit_data(account))


def _circuit_data(account: CourierAccount) -> dict[str, str]:
    return {
        "account": account.pk,
        "company": account.company.slug,
        "courier": account.courier_id,
        "state": circuits.circuit_state(account),
    }


def _doubt_data(shipment: Shipment, evidence: Evidence) -> dict[str, Any]:
    return {
        "shipment": shipment_data(shipment),
        "company": shipment.company.slug,
        "in_doubt_since": evidence.in_doubt_since,
        "later_bookings": evidence.later,
        "confirmed_by_callback": evidence.confirmed,
        "last_callback_at": evidence.last_event_at,
        "inquiry": _inquiry_data(evidence.inquiry),
        "flow": evidence.flow,
        "suggestion": evidence.suggestion,
    }


def _inquiry_data(inquiry: InquiryFacts | None) -> dict[str, Any] | None:
    if inquiry is None:
        return None
    return {str(name): getattr(inquiry, str(name)) for name in InquirySerializer().fields}
