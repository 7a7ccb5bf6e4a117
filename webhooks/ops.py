"""For staff: the inbox over the API. Sessions of the admin, never a merchant's key."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api import serializers as s
from couriers.api.ops import OpsView
from couriers.api.pagination import PAGING, page
from couriers.api.permissions import to_view
from couriers.contract.receiver import Topic
from couriers.contract.registry import CourierFactory
from webhooks.masking import without_people
from webhooks.models import EventState, WebhookEvent
from webhooks.payloads import NotAnEvent, read
from webhooks.replay import MANY, PERMISSION, replay

PROBLEMS = {(status, "application/problem+json"): s.ProblemSerializer for status in (400, 403, 404)}


class WebhookEventSerializer(serializers.Serializer[Any]):
    """A callback, and what became of it."""

    id = serializers.IntegerField()
    account = serializers.CharField()
    courier = serializers.CharField()
    topic = serializers.ChoiceField(choices=[topic.value for topic in Topic])
    state = serializers.ChoiceField(choices=EventState.choices)
    attempts = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why it failed, waits or is dead.")
    received_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField()
    processed_at = serializers.DateTimeField(allow_null=True)


class WebhookEventDetailSerializer(WebhookEventSerializer):
    """The same with what came; null where the body is no JSON object."""

    payload = serializers.JSONField(allow_null=True, help_text="What tells of a person is hidden.")


class WebhookEventPageSerializer(serializers.Serializer[Any]):
    """A page of callbacks, the newest first."""

    next = serializers.CharField(allow_null=True)
    results = WebhookEventSerializer(many=True)


class ReplayManySerializer(s.Strict):
    """Which callbacks are to be replayed."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MANY,
    )


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many callbacks are due again."""

    replayed = serializers.IntegerField()


class WebhookEventsView(OpsView):
    """The inbox."""

    needs = to_view(WebhookEvent)

    @extend_schema(
        operation_id="ops_webhook_events_list",
        parameters=[
            OpenApiParameter("state", enum=EventState.values),
            OpenApiParameter("topic", enum=[topic.value for topic in Topic]),
            OpenApiParameter("account", str),
            *PAGING,
        ],
        responses={200: WebhookEventPageSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Callbacks of all accounts, the newest first."""
        rows = WebhookEvent.objects.to_look_at()
        for name, known in (("state", EventState.values), ("topic", [t.value for t in Topic])):
            if value := request.query_params.get(name):
                if value not in known:
                    raise ValidationError({name: [f"must be one of {', '.join(known)}"]})
                rows = rows.filter(**{name: value})
        if account := request.query_params.get("account"):
            rows = rows.filter(account_id=account.replace("\x00", ""))
        found, following = page(request, rows, prefix="")
        return Response({"next": following, "results": [_data(event) for event in found]})


class WebhookEventView(OpsView):
    """One callback."""

    needs = to_view(WebhookEvent)

    @extend_schema(responses={200: WebhookEventDetailSerializer, **PROBLEMS})
    def get(self, request: Request, pk: int) -> Response:
        """The callback with its payload, without what tells of a person."""
        event = get_object_or_404(WebhookEvent.objects.to_look_at(), pk=pk)
        try:
            payload = without_people(
                read(bytes(event.body)), CourierFactory.receiver(event.account.courier_id)
            )
        except NotAnEvent:
            payload = None
        return Response({**_data(event), "payload": payload})


class ReplayView(OpsView):
    """Replaying one callback."""

    needs = (PERMISSION,)

    @extend_schema(request=None, responses={200: WebhookEventSerializer, **PROBLEMS})
    def post(self, request: Request, pk: int) -> Response:
        """Have the callback applied again, at once."""
        event = get_object_or_404(WebhookEvent.objects.to_look_at(), pk=pk)
        assert request.user.is_authenticated
        replay([pk], actor=request.user)
        event.refresh_from_db(
            fields=["state", "attempts", "reason", "next_attempt_at", "processed_at"]
        )
        return Response(_data(event))


class ReplayManyView(OpsView):
    """Replaying many callbacks."""

    needs = (PERMISSION,)

    @extend_schema(
        operation_id="ops_webhook_events_replay_many",
        request=ReplayManySerializer,
        responses={200: ReplayedSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Have up to a thousand callbacks applied again, at once; unknown ids are left out."""
        asked = ReplayManySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        assert request.user.is_authenticated
        return Response({"replayed": replay(asked.validated_data["ids"], actor=request.user)})


def _data(event: WebhookEvent) -> dict[str, Any]:
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
