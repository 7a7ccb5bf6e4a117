"""The staff API of the inbox: list, show and replay callbacks.

Authenticated by a session of the admin, never by a company's API key.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.fields import moment
from couriers.api.ops import OpsView
from couriers.api.pagination import PAGING, page
from couriers.api.permissions import view_permissions
from couriers.api.schema import extend_schema
from couriers.api.serializers import StrictSerializer
from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from couriers.operations.staff import visible_to
from webhooks.masking import mask_payload
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import UnreadableBody, parse_body
from webhooks.replay import MAX_EVENTS, PERMISSION, replay


class WebhookEventSerializer(serializers.Serializer[Any]):
    """A callback with its state."""

    id = serializers.IntegerField()
    account = serializers.CharField()
    courier = serializers.CharField()
    topic = serializers.ChoiceField(choices=[topic.value for topic in Topic])
    state = serializers.ChoiceField(choices=EventState.choices)
    attempts = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why it failed, waits or is dead; empty otherwise.")
    received_at = moment()
    next_attempt_at = moment()
    processed_at = moment(allow_null=True)


class WebhookEventDetailSerializer(WebhookEventSerializer):
    """A callback with its payload, which is null where the body is not a JSON object."""

    payload = serializers.DictField(allow_null=True, help_text="Personal data is masked.")


class WebhookEventPageSerializer(serializers.Serializer[Any]):
    """A page of callbacks, newest first. `next` is null on the last page."""

    results = WebhookEventSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class ReplayManySerializer(StrictSerializer):
    """The ids of the callbacks to replay."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MAX_EVENTS,
    )


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many callbacks were replayed."""

    replayed = serializers.IntegerField()


class WebhookEventsView(OpsView):
    """The list of callbacks."""

    allowed_by = view_permissions(WebhookEvent)

    @extend_schema(
        parameters=[
            OpenApiParameter("state", enum=EventState.values),
            OpenApiParameter("topic", enum=[topic.value for topic in Topic]),
            OpenApiParameter("account", str),
            *PAGING,
        ],
        responses={200: WebhookEventPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """List the callbacks, newest first."""
        rows = _visible(request)
        for name, known in (("state", EventState.values), ("topic", [t.value for t in Topic])):
            if value := request.query_params.get(name):
                if value not in known:
                    raise ValidationError({name: [f"must be one of {', '.join(known)}"]})
                rows = rows.filter(**{name: value})
        if account := request.query_params.get("account"):
            rows = rows.filter(account_id=account)
        found, following = page(request, rows, prefix="")
        return Response({"results": [_event_data(event) for event in found], "next": following})


class WebhookEventView(OpsView):
    """One callback."""

    allowed_by = view_permissions(WebhookEvent)

    @extend_schema(responses={200: WebhookEventDetailSerializer})
    def get(self, request: Request, pk: int) -> Response:
        """Show a callback with its payload. Personal data is masked."""
        event = get_object_or_404(_visible(request), pk=pk)
        receiver = CourierFactory.receiver(event.account.courier_id)
        try:
            payload = mask_payload(parse_body(event.read_body()), receiver)
        except UnreadableBody:
            payload = None
        return Response({**_event_data(event), "payload": payload})


class ReplayView(OpsView):
    """Replaying one callback."""

    allowed_by = (PERMISSION,)

    @extend_schema(request=None, responses={200: WebhookEventSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Make the callback due again at once."""
        event = get_object_or_404(_visible(request), pk=pk)
        assert request.user.is_authenticated
        replay([pk], actor=request.user)
        event.refresh_from_db(
            fields=["state", "attempts", "reason", "next_attempt_at", "processed_at"]
        )
        return Response(_event_data(event))


class ReplayManyView(OpsView):
    """Replaying many callbacks."""

    allowed_by = (PERMISSION,)

    @extend_schema(
        operation_id="replay_webhook_events",
        request=ReplayManySerializer,
        responses={200: ReplayedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make up to a thousand callbacks due again at once; unknown ids are ignored."""
        serializer = ReplayManySerializer.from_data(request.data)
        assert request.user.is_authenticated
        given = serializer.validated_data["ids"]
        ids = list(_visible(request).filter(pk__in=given).values_list("pk", flat=True))
        return Response({"replayed": replay(ids, actor=request.user)})


def _visible(request: Request) -> QuerySet[WebhookEvent]:
    """Return the callbacks that the user may see."""
    return visible_to(request.user, WebhookEvent.objects.for_display(), "account__company")


def _event_data(event: WebhookEvent) -> dict[str, Any]:
    return {
        "id": event.pk,
        "account": event.account_id,
        "courier": event.account.courier_id,
        "topic": event.topic,
        "state": event.state,
        "attempts": event.attempts,
        "reason": event.reason,
        "received_at": event.received_at,
        "next_attempt_at": event.next_attempt_at,
        "processed_at": event.processed_at,
    }
