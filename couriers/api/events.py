"""Events over the API: what has happened, oldest first, to be read on from where one stopped."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import of_client
from couriers.api.base import ApiView
from couriers.api.fields import moment
from couriers.api.filters import UtcDateTimeFilter
from couriers.api.pagination import PAGING, next_page_url, page_size
from couriers.api.schema import extend_schema
from couriers.conf import tunables
from couriers.contract.actions import ActionKind
from couriers.contract.signals import ActionOutcome, SettledAs
from couriers.contract.statuses import Status
from couriers.contract.types import Direction
from couriers.models import Event, EventType, FlagKind
from couriers.models.asked import AskedState
from couriers.models.converters import is_public_id
from couriers.models.ids import first_event_id
from couriers.models.job import JobState
from couriers.models.manifest import ManifestState
from couriers.operations.events import number_events_for_reader

FILTERS = [
    OpenApiParameter(
        "type", enum=EventType.values, many=True, description="Events of any of these types."
    ),
    OpenApiParameter(
        "shipment", {"type": "string", "maxLength": 40}, description="Events of this shipment."
    ),
    OpenApiParameter(
        "created_after",
        {"type": "string", "format": "date-time"},
        description="Events of this time or later.",
    ),
]
CURSOR = OpenApiParameter(
    "cursor",
    {"type": "string", "maxLength": 40},
    description="The `cursor` of an earlier answer, or the id of an event: the events after it.",
)


class EventShipmentSerializer(serializers.Serializer[Any]):
    """The shipment as it was at the event."""

    id = serializers.CharField()
    order_number = serializers.CharField()
    direction = serializers.ChoiceField(choices=Direction.choices)
    courier = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    status_at = moment(allow_null=True)
    ndr_reason = serializers.CharField()
    tracking_id = serializers.CharField()
    waybill = serializers.CharField()


class ChangedShipmentSerializer(EventShipmentSerializer):
    """The shipment as it is since the event, and its status before."""

    previous_status = serializers.ChoiceField(choices=Status.choices)


class EventActionSerializer(serializers.Serializer[Any]):
    """The action that ended, and how."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=ActionKind.choices)
    state = serializers.ChoiceField(choices=AskedState.choices)
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in ActionOutcome])
    asked_at = moment()
    ended_at = moment()


class EventFlagSerializer(serializers.Serializer[Any]):
    """What an operator must look at; `tracking_id` and `order_number` are the other ones.

    `courier` is another one than the shipment's, or "".
    """

    kind = serializers.ChoiceField(choices=FlagKind.choices)
    courier = serializers.CharField(required=False)  # events of earlier releases lack it
    tracking_id = serializers.CharField()
    order_number = serializers.CharField()
    raised_at = moment()


class EventJobSerializer(serializers.Serializer[Any]):
    """The bulk job that ended. `counts` has a number for each outcome that there is."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=JobState.choices)
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    created_at = moment()
    finished_at = moment()


class EventManifestSerializer(serializers.Serializer[Any]):
    """The manifest that ended, with its progress."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=ManifestState.choices)
    chunks = serializers.IntegerField()
    chunks_done = serializers.IntegerField()
    chunks_failed = serializers.IntegerField()
    shipments = serializers.IntegerField()
    shipments_done = serializers.IntegerField()
    created_at = moment()
    finished_at = moment()


class SettledDataSerializer(serializers.Serializer[Any]):
    """Of `shipment.settled`: how the doubt ended."""

    shipment = ChangedShipmentSerializer()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in SettledAs])


class ActionDataSerializer(serializers.Serializer[Any]):
    """Of `shipment.action_ended`."""

    shipment = EventShipmentSerializer()
    action = EventActionSerializer()


class FlagDataSerializer(serializers.Serializer[Any]):
    """Of `shipment.flagged`."""

    shipment = EventShipmentSerializer()
    flag = EventFlagSerializer()


class ChangeDataSerializer(serializers.Serializer[Any]):
    """Of all other types of a shipment."""

    shipment = ChangedShipmentSerializer()


class JobDataSerializer(serializers.Serializer[Any]):
    """Of `job.finished`."""

    job = EventJobSerializer()


class ManifestDataSerializer(serializers.Serializer[Any]):
    """Of `manifest.finished`."""

    manifest = EventManifestSerializer()


class PingDataSerializer(serializers.Serializer[Any]):
    """Of `ping`: the endpoint that it was sent to."""

    endpoint = serializers.CharField()


# What an event is about, by its type. Those with more members come first, because a generated
# client takes the first that fits.
EVENT_DATA = PolymorphicProxySerializer(
    component_name="EventData",
    serializers=[
        SettledDataSerializer, ActionDataSerializer, FlagDataSerializer, ChangeDataSerializer,
        JobDataSerializer, ManifestDataSerializer, PingDataSerializer,
    ],
    resource_type_field_name=None,
)  # fmt: skip


class EventSerializer(serializers.Serializer[Any]):
    """One event. It has the same id wherever and however often it is told."""

    id = serializers.CharField()
    type = serializers.ChoiceField(choices=EventType.choices)
    created_at = moment()
    is_test = serializers.BooleanField()
    data = EVENT_DATA  # type: ignore[assignment]


class EventPageSerializer(serializers.Serializer[Any]):
    """A page of events, oldest first. `next` is null where there is no further event now.

    `cursor` is the place to read on from later, also on the last page. It is null before a
    company's first event.
    """

    results = EventSerializer(many=True)
    next = serializers.URLField(allow_null=True)
    cursor = serializers.CharField(allow_null=True)


class EventFilter(filters.FilterSet):
    """Filters of the list of events."""

    type = filters.MultipleChoiceFilter(lookup_expr="exact", choices=EventType.choices)
    shipment = filters.CharFilter(field_name="shipment_id", lookup_expr="exact", max_length=40)
    created_after = UtcDateTimeFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Event
        fields = ()


class EventsView(ApiView):
    """List events."""

    @extend_schema(
        parameters=[CURSOR, *FILTERS, *[one for one in PAGING if one.name != "cursor"]],
        responses={200: EventPageSerializer},
    )
    def get(self, request: Request) -> Response:
        """A page of the company's events, oldest first.

        Keep `cursor` and send it with the next request: so every event is read once and none is
        missed. Events are kept for 30 days. A cursor older than that begins with the oldest event
        that is kept.
        """
        number_events_for_reader()
        size, cursor = page_size(request), request.query_params.get("cursor")
        events = _company_events(request).filter(position__isnull=False)
        wanted = EventFilter(request.query_params, queryset=events)
        if not wanted.is_valid():
            raise ValidationError(wanted.errors)
        after = _position_of(events, cursor) if cursor else 0
        newest = events.order_by("-position").only("position").first()
        found: list[Event] = []
        if newest is not None:
            # Without what is committed meanwhile, so that the last page's cursor passes over none.
            unread = wanted.qs.filter(position__gt=after, position__lte=newest.position)
            found = list(unread.order_by("position")[: size + 1])
        following = None
        if len(found) > size:
            cursor = found[size - 1].pk
            following = next_page_url(request, cursor=cursor)
        elif newest is not None:
            cursor = newest.pk
        results = [_event_data(event) for event in found[:size]]
        return Response({"results": results, "next": following, "cursor": cursor})


class EventView(ApiView):
    """Show one event."""

    @extend_schema(responses={200: EventSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """One event."""
        return Response(_event_data(get_object_or_404(_company_events(request), pk=pk)))


def _company_events(request: Request) -> QuerySet[Event]:
    return Event.objects.filter(**of_client(request))


def _position_of(events: QuerySet[Event], cursor: str) -> int:
    """Return the position of the event that the cursor names, 0 for one that is kept no more.

    Raises ValidationError naming `cursor`.
    """
    if is_public_id(cursor) and cursor.startswith("evt_"):
        event = events.filter(pk=cursor).only("position").first()
        if event is not None:
            return event.position or 0
        kept_since = timezone.now() - dt.timedelta(days=tunables().RETENTION_OUTBOX_DAYS)
        if cursor < first_event_id(kept_since):
            return 0
    raise ValidationError({"cursor": ["is not a cursor of this list"]})


def _event_data(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "type": event.type,
        "created_at": event.created_at,
        "is_test": event.is_test,
        "data": event.data,
    }
