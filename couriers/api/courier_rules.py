"""A company's courier rules over the API: list, add, change, delete, put in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test, of_client
from couriers.api.base import ApiView
from couriers.api.fields import moment, rupees, text
from couriers.api.schema import extend_schema
from couriers.api.serializers import (
    FieldWarningSerializer,
    StrictSerializer,
)
from couriers.contract.india import Zone
from couriers.contract.types import MAX_SERVICE, Direction, FieldWarning, PaymentMode
from couriers.models import CourierRule, Scope
from couriers.models.addresses import path_of
from couriers.models.courier_rule import MAX_RULES
from couriers.models.rule_terms import (
    MAX_COURIERS,
    MAX_PLACES,
    MAX_SERVICES,
    MAX_SHARE,
    MAX_SKUS,
    MAX_WEIGHT,
    InvalidRule,
    RuleTerms,
    Strategy,
)
from couriers.operations.courier_rules import (
    company_rules,
    delete_rule,
    reorder_rules,
    store_rule,
)


def _some(child: serializers.Field[Any, Any, Any, Any], most: int, **more: Any) -> Any:
    return serializers.ListField(child=child, required=False, max_length=most, **more)


def _choices(choices: Any) -> Any:
    return _some(serializers.ChoiceField(choices=choices), len(choices))


def _grams() -> Any:
    return serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_WEIGHT
    )


class RuleConditionsSerializer(StrictSerializer):
    """What must hold for an order. A condition that is left out, empty or null always holds.

    Weights are grams and values rupees (the order's total with GST), each from `min_` to `max_`
    inclusive. `pincodes` are of the consignee, whole or by their first two to five digits; `states`
    are the consignee's. One of the `skus` in the order is enough. `services` are what the order
    asks for.
    """

    payment_modes = _choices(PaymentMode.choices)
    directions = _choices(Direction.choices)
    zones = _choices(Zone.choices)
    min_weight_g = _grams()
    max_weight_g = _grams()
    min_value = rupees(required=False, allow_null=True)
    max_value = rupees(required=False, allow_null=True)
    pincodes = _some(text(6), MAX_PLACES)
    states = _some(text(100), 40)
    skus = _some(text(100), MAX_SKUS)
    services = _some(text(MAX_SERVICE), MAX_SERVICES)


class RuledCourierSerializer(StrictSerializer):
    """A courier of a rule. Without `service` it is the cheapest quoted, or the courier's choice.

    `weight` is its share beside the others' weights, for the strategy `weights`; 0 is the last.
    """

    courier = text(30)
    service = text(MAX_SERVICE, required=False, allow_blank=True, default="")
    weight = serializers.IntegerField(required=False, default=1, min_value=0, max_value=MAX_SHARE)


class CourierRuleSerializer(StrictSerializer):
    """A rule. The first one by `position` that is enabled and holds for an order chooses.

    `couriers` are all of the company's where none is named; `priority` and `weights` need them.
    With `fail_over` the next courier is asked after one that surely did not book, with
    `book_after_doubt` also once a doubt has been settled as not booked. `warnings` say what is odd:
    `shadowed` is a rule that an earlier one leaves no order to.
    """

    id = serializers.CharField(read_only=True)
    position = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_RULES, help_text="The last, if left out."
    )
    name = text(100)
    enabled = serializers.BooleanField(required=False, default=True, source="is_enabled")
    conditions = RuleConditionsSerializer(required=False)
    strategy = serializers.ChoiceField(choices=Strategy.choices)
    couriers = serializers.ListField(
        child=RuledCourierSerializer(), required=False, max_length=MAX_COURIERS
    )
    fail_over = serializers.BooleanField(required=False, default=True)
    book_after_doubt = serializers.BooleanField(required=False, default=False)
    warnings = FieldWarningSerializer(many=True, read_only=True)
    created_at = moment(read_only=True)
    updated_at = moment(read_only=True)


class RuleOrderSerializer(StrictSerializer):
    """The ids of all rules, the first one first."""

    rules = serializers.ListField(child=text(40), max_length=MAX_RULES)


def rule_data(rule: CourierRule, warnings: Sequence[FieldWarning]) -> dict[str, Any]:
    """Return a rule for the API. Conditions that are left out are empty, or null.

    What cannot be read of a stored rule is left out; a warning says so.
    """
    try:
        terms = rule.terms()
    except InvalidRule:
        terms = RuleTerms()
    return {
        "id": rule.pk,
        "position": rule.position,
        "name": rule.name,
        "enabled": rule.is_enabled,
        "conditions": terms.conditions.model_dump(mode="json"),
        "strategy": rule.strategy,
        "couriers": [each.as_json() for each in terms.couriers],
        "fail_over": rule.fail_over,
        "book_after_doubt": rule.book_after_doubt,
        "warnings": [
            {"field": one.field, "code": one.code, "message": one.message} for one in warnings
        ],
        "created_at": rule.created_at,
        "updated_at": rule.updated_at,
    }


class CourierRulesView(ApiView):
    """List and add courier rules."""

    @extend_schema(responses={200: CourierRuleSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """The company's courier rules, in the order in which they are tried."""
        found = company_rules(company_of(request), is_test=is_test(request))
        return Response([rule_data(*each) for each in found.rules])

    @extend_schema(
        scope=Scope.OPERATE, request=CourierRuleSerializer, responses={201: CourierRuleSerializer}
    )
    def post(self, request: Request) -> Response:
        """Add a courier rule, at a position or as the last one.

        A rule that no order can meet, or that names a courier which the company has no account
        with, is refused.
        """
        rule = _store(CourierRule(**of_client(request)), request, _REPLACED)
        response = _answer(request, rule.pk, status=201)
        response["Location"] = path_of("couriers_api:courier-rule", rule.pk)
        return response


class CourierRuleView(ApiView):
    """Show, change and delete one courier rule."""

    @extend_schema(responses={200: CourierRuleSerializer})
    def get(self, request: Request, pk: str) -> Response:
        """One courier rule."""
        return _answer(request, pk)

    @extend_schema(
        scope=Scope.OPERATE, request=CourierRuleSerializer, responses={200: CourierRuleSerializer}
    )
    def put(self, request: Request, pk: str) -> Response:
        """Replace a courier rule. Without `position` it keeps its own."""
        _store(_rule(request, pk), request, _REPLACED)
        return _answer(request, pk)

    @extend_schema(
        scope=Scope.OPERATE, request=CourierRuleSerializer, responses={200: CourierRuleSerializer}
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Change a courier rule. Fields that are left out stay; `conditions` are replaced whole."""
        _store(_rule(request, pk), request, None)
        return _answer(request, pk)

    @extend_schema(scope=Scope.OPERATE, responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Delete a courier rule. Shipments whose courier it chose keep its name."""
        delete_rule(_rule(request, pk))
        return Response(status=204)


class RuleOrderView(ApiView):
    """Put courier rules in order."""

    @extend_schema(
        operation_id="reorder_courier_rules",
        scope=Scope.OPERATE,
        request=RuleOrderSerializer,
        responses={200: CourierRuleSerializer(many=True)},
    )
    def post(self, request: Request) -> Response:
        """Put all courier rules in this order."""
        ids = RuleOrderSerializer.from_data(request.data).validated_data["rules"]
        company, mode = company_of(request), is_test(request)
        reorder_rules(company, ids, is_test=mode)
        found = company_rules(company, is_test=mode)
        return Response([rule_data(*each) for each in found.rules])


# What PUT sets where the body leaves it out.
_REPLACED: dict[str, Any] = {
    "is_enabled": True,
    "conditions": {},
    "couriers": [],
    "fail_over": True,
    "book_after_doubt": False,
}


def _store(rule: CourierRule, request: Request, left_out: dict[str, Any] | None) -> CourierRule:
    """Store a rule as the body says. `left_out` are the values of what it leaves out.

    With None, what is left out stays. Raises ValidationError and InvalidRequest.
    """
    if left_out is None:
        serializer = CourierRuleSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
    else:
        serializer = CourierRuleSerializer.from_data(request.data)
    data = {**(left_out or {}), **serializer.validated_data}
    position = data.pop("position", None)
    if "conditions" in data:
        data["conditions"] = {
            name: _as_json(value)
            for name, value in data["conditions"].items()
            if value not in (None, [])
        }
    if "couriers" in data:
        data["couriers"] = [dict(each) for each in data["couriers"]]
    return store_rule(rule, data, position=position)


def _as_json(value: Any) -> Any:
    return value if isinstance(value, (list, int)) else str(value)


def _rule(request: Request, pk: str) -> CourierRule:
    """Return one of the client's rules. Raises Http404 for another company's or mode's."""
    rule = CourierRule.objects.filter(**of_client(request), pk=pk).select_related("company").first()
    if rule is None:
        raise Http404
    return rule


def _answer(request: Request, pk: str, status: int = 200) -> Response:
    found = company_rules(company_of(request), is_test=is_test(request))
    try:
        return Response(rule_data(*found.of(pk)), status=status)
    except CourierRule.DoesNotExist:
        raise Http404 from None
