"""The bodies of the API of endpoints: what is asked, and what is answered."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from couriers.api.fields import moment, optional_text, text
from couriers.api.serializers import StrictSerializer
from couriers.http.outgoing import url_problem
from couriers.models import EventType
from webhooks.outbox.models import (
    EVERY_EVENT,
    MAX_DESCRIPTION,
    MAX_URL,
    DeliveryState,
    DisabledBy,
)

# A ping is sent whatever the list says, and cannot be asked for.
CHOSEN = [one.value for one in EventType if one is not EventType.PING]
MAX_OVERLAP_HOURS = 168
OVERLAP_HOURS = 24


def _is_enabled() -> serializers.BooleanField:
    return serializers.BooleanField(
        required=False, help_text="False: it is sent nothing until it is enabled again."
    )


class EndpointRequestSerializer(StrictSerializer):
    """An endpoint: a server of the company's, and the types of events that it is sent."""

    url = text(
        MAX_URL, help_text="https, of a public server. It may have a query, and has no fragment."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=[EVERY_EVENT, *CHOSEN]),
        min_length=1,
        max_length=len(CHOSEN),
        required=False,
        help_text='Types of events, or `["*"]`, the default, for all of them, new types included.',
    )
    description = optional_text(MAX_DESCRIPTION)
    enabled = _is_enabled()

    def validate_url(self, value: str) -> str:
        if problem := url_problem(value):
            raise serializers.ValidationError(problem)
        return value

    def validate_events(self, value: list[str]) -> list[str]:
        if len(set(value)) < len(value):
            raise serializers.ValidationError("names a type twice")
        if EVERY_EVENT in value and len(value) > 1:
            raise serializers.ValidationError('has other types beside "*", which is all of them')
        return value


class DisabledSerializer(serializers.Serializer[Any]):
    """When and why an endpoint was disabled."""

    at = moment()
    reason = serializers.ChoiceField(choices=[one.value for one in DisabledBy if one.value])


class EndpointSerializer(serializers.Serializer[Any]):
    """An endpoint. `disabled` is null while it is enabled.

    `failing_since` is the time of the first failure since the last delivery, or null. The previous
    secret signs too until `previous_secret_until`.
    """

    id = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    description = serializers.CharField()
    is_test = serializers.BooleanField()
    enabled = serializers.BooleanField()
    disabled = DisabledSerializer(allow_null=True)
    failing_since = moment(allow_null=True)
    previous_secret_until = moment(allow_null=True)
    created_at = moment()
    updated_at = moment()


class EndpointWithSecretSerializer(EndpointSerializer):
    """An endpoint with its new secret, which is shown this once."""

    secret = serializers.CharField()


class EndpointPageSerializer(serializers.Serializer[Any]):
    """A page of endpoints, newest first. `next` is null on the last page."""

    results = EndpointSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class RotationSerializer(StrictSerializer):
    """For how many hours the secret until now signs beside the new one; 0 is not at all."""

    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=MAX_OVERLAP_HOURS, required=False, default=OVERLAP_HOURS
    )


class PingSerializer(serializers.Serializer[Any]):
    """The event that is sent as a test. Its delivery is in the endpoint's log."""

    event = serializers.CharField()


class ResendSerializer(StrictSerializer):
    """Either one event by its id, or `since`: those that the endpoint wants, from a time on."""

    event = text(40, required=False)
    since = moment(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("event" in attrs) == ("since" in attrs):
            raise serializers.ValidationError({"event": ["give either an event or a time"]})
        return attrs


class ResentSerializer(serializers.Serializer[Any]):
    """How many events are sent again, and the time of the last one; null without any."""

    resent = serializers.IntegerField()
    until = moment(allow_null=True)


class DeliverySerializer(serializers.Serializer[Any]):
    """One event for one endpoint. `status`, `answer` and `error` are of the last attempt.

    `status` is the one of HTTP, null where no answer came: `error` then says why. `answer` is the
    beginning of the answer, with phones and e-mail addresses masked.
    """

    event = serializers.CharField()
    type = serializers.ChoiceField(choices=EventType.values)
    shipment = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(choices=DeliveryState.values)
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField()
    error = serializers.CharField()
    milliseconds = serializers.IntegerField(allow_null=True)
    attempted_at = moment(allow_null=True)
    next_attempt_at = moment(allow_null=True)
    created_at = moment()


class DeliveryPageSerializer(serializers.Serializer[Any]):
    """A page of deliveries, newest first. `next` is null on the last page."""

    results = DeliverySerializer(many=True)
    next = serializers.URLField(allow_null=True)
