"""The API of endpoints, for a company's key. What a secret signs is in signing.py."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.headers import WORK, ask_later
from couriers.api.pagination import PAGING, page
from couriers.api.schema import extend_schema
from couriers.models import Scope
from couriers.models.addresses import path_of
from webhooks.outbox import endpoints
from webhooks.outbox.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from webhooks.outbox.serializers import (
    DeliveryPageSerializer,
    EndpointPageSerializer,
    EndpointRequestSerializer,
    EndpointSerializer,
    EndpointWithSecretSerializer,
    PingSerializer,
    ResendSerializer,
    ResentSerializer,
    RotationSerializer,
)


class EndpointsView(ApiView):
    """List and add endpoints."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="list_webhook_endpoints",
        parameters=PAGING,
        responses={200: EndpointPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """The company's endpoints, newest first. Their secrets are not shown."""
        found, following = page(request, _endpoints(request), prefix="whe")
        return Response({"results": [_endpoint_data(one) for one in found], "next": following})

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="create_webhook_endpoint",
        request=EndpointRequestSerializer,
        responses={201: EndpointWithSecretSerializer},
    )
    def post(self, request: Request) -> Response:
        """Add an endpoint. Its `secret` is in this answer alone.

        The endpoint is sent what happens from now on. A company has 20 endpoints at most.
        """
        values = EndpointRequestSerializer.from_data(request.data).validated_data
        try:
            endpoint = endpoints.create(**of_client(request), values=values)
        except endpoints.TooManyEndpoints:
            limit = endpoints.MAX_ENDPOINTS
            problem = f"the company has {limit} endpoints, which is the most; delete one first"
            raise ValidationError({"url": [problem]}) from None
        response = Response(_endpoint_data(endpoint) | {"secret": endpoint.secret}, status=201)
        response["Location"] = path_of("couriers_api:endpoint", endpoint.pk)
        return response


class EndpointBase(ApiView):
    """Base of the views of one endpoint."""

    def endpoint(self, request: Request, pk: str) -> WebhookEndpoint:
        """The endpoint. Raises Http404 for another company's, or one of the other mode."""
        return get_object_or_404(_endpoints(request), pk=pk)


class EndpointView(EndpointBase):
    """Show, change and delete one endpoint."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="get_webhook_endpoint",
        responses={200: EndpointSerializer},
    )
    def get(self, request: Request, pk: str) -> Response:
        """One endpoint, without its secret."""
        return Response(_endpoint_data(self.endpoint(request, pk)))

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="update_webhook_endpoint",
        request=EndpointRequestSerializer(partial=True),
        responses={200: EndpointSerializer},
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Change an endpoint. Fields that are left out stay as they are.

        An endpoint that is enabled again is sent what has happened since it was disabled.
        """
        endpoint = self.endpoint(request, pk)
        serializer = EndpointRequestSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        endpoints.change(endpoint, serializer.validated_data)
        return Response(_endpoint_data(endpoint))

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="delete_webhook_endpoint",
        responses={204: None},
    )
    def delete(self, request: Request, pk: str) -> Response:
        """Delete an endpoint, its log, and what was to be delivered to it."""
        endpoints.delete(self.endpoint(request, pk))
        return Response(status=204)


class RotateSecretView(EndpointBase):
    """Give an endpoint a new secret."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="rotate_webhook_secret",
        request=RotationSerializer,
        responses={200: EndpointWithSecretSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Give the endpoint a new `secret`, which is in this answer alone.

        For `overlap_hours` each delivery has two signatures, by the new and the former secret.
        """
        endpoint = self.endpoint(request, pk)
        data = RotationSerializer.from_data(request.data).validated_data
        overlap = dt.timedelta(hours=data["overlap_hours"])
        secret = endpoints.rotate_secret(endpoint, overlap)
        return Response(_endpoint_data(endpoint) | {"secret": secret})


class TestView(EndpointBase):
    """Send a test to an endpoint."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="test_webhook_endpoint",
        request=None,
        responses={202: PingSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Send the event `ping` to this endpoint. Its log shows what came of it."""
        endpoint = self.endpoint(request, pk)
        try:
            event = endpoints.ping(endpoint)
        except endpoints.EndpointIsDisabled:
            problem = "the endpoint is disabled; enable it first"
            raise ValidationError({"enabled": [problem]}) from None
        return _logged(endpoint, {"event": event.pk})


class ResendView(EndpointBase):
    """Send events to an endpoint again."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="resend_events",
        request=ResendSerializer,
        responses={202: ResentSerializer},
    )
    def post(self, request: Request, pk: str) -> Response:
        """Send one event again, or those since a time, whether they had arrived or not.

        They have the ids that they had. At most 10,000 are sent, oldest first: ask again with
        `since` set to `until` for the rest. An event that is not the company's is none (404).
        """
        endpoint = self.endpoint(request, pk)
        data = ResendSerializer.from_data(request.data).validated_data
        if event := data.get("event"):
            get_object_or_404(endpoint.company.events, pk=event, is_test=endpoint.is_test)
        resent = endpoints.resend(endpoint, event=data.get("event"), since=data.get("since"))
        return _logged(endpoint, {"resent": resent.count, "until": resent.until})


class DeliveriesView(EndpointBase):
    """The log of an endpoint."""

    @extend_schema(
        scope=Scope.OPERATE,
        operation_id="list_webhook_deliveries",
        parameters=[
            OpenApiParameter("state", enum=DeliveryState.values),
            OpenApiParameter(
                "event", {"type": "string", "maxLength": 40}, description="Of this event alone."
            ),
            *PAGING,
        ],
        responses={200: DeliveryPageSerializer},
    )
    def get(self, request: Request, pk: str) -> Response:
        """What was sent to the endpoint, newest first, with its answers. Kept as the events are."""
        rows = self.endpoint(request, pk).deliveries.select_related("event")
        if state := request.query_params.get("state"):
            if state not in DeliveryState.values:
                known = ", ".join(DeliveryState.values)
                raise ValidationError({"state": [f"must be one of {known}"]})
            rows = rows.filter(state=state)
        if event := request.query_params.get("event"):
            if len(event) > 40:
                raise ValidationError({"event": ["is longer than 40 characters"]})
            rows = rows.filter(event=event)
        found, following = page(request, rows, prefix="")
        return Response({"results": [_delivery_data(one) for one in found], "next": following})


def _logged(endpoint: WebhookEndpoint, data: dict[str, Any]) -> Response:
    """Answer that something will be sent. `Location` is the log that will show it."""
    response = Response(data, status=202)
    response["Location"] = path_of("couriers_api:endpoint-deliveries", endpoint.pk)
    ask_later(response, WORK)
    return response


def _endpoints(request: Request) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(**of_client(request)).order_by("-id")


def _endpoint_data(endpoint: WebhookEndpoint) -> dict[str, Any]:
    disabled = {"at": endpoint.disabled_at, "reason": endpoint.disabled_by}
    return {
        "id": endpoint.pk,
        "url": endpoint.url,
        "events": endpoint.events,
        "description": endpoint.description,
        "is_test": endpoint.is_test,
        "enabled": endpoint.enabled,
        "disabled": None if endpoint.enabled else disabled,
        "failing_since": endpoint.failing_since,
        "previous_secret_until": endpoint.previous_secret_until,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def _delivery_data(delivery: WebhookDelivery) -> dict[str, Any]:
    is_pending = delivery.state == DeliveryState.PENDING
    return {
        "event": delivery.event_id,
        "type": delivery.event.type,
        "shipment": delivery.ordered_by,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "status": delivery.status_code,
        "answer": delivery.answer,
        "error": delivery.error,
        "milliseconds": delivery.milliseconds,
        "attempted_at": delivery.attempted_at,
        "next_attempt_at": delivery.next_attempt_at if is_pending else None,
        "created_at": delivery.created_at,
    }
