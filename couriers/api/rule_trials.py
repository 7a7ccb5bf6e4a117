"""Courier rules tried out over the API: for one order, and for the orders of the last days."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from couriers.api.authentication import company_of, is_test
from couriers.api.base import ApiView
from couriers.api.fields import decimal
from couriers.api.problem_schema import OFFER, problems
from couriers.api.schema import extend_schema
from couriers.api.serializers import ShipmentDraftSerializer
from couriers.api.shipment_parts import ChoiceSerializer
from couriers.booking.choosing import choose, is_auto
from couriers.booking.drafts import clean_draft
from couriers.contract.errors import FieldProblem, InvalidRequest
from couriers.models import Scope
from couriers.models.rule_terms import Strategy
from couriers.operations.rule_simulation import DAYS, simulate_rules


class RuleOutcomeSerializer(serializers.Serializer[Any]):
    """What one rule would have done. `rule` is null for the orders that no rule holds for.

    `same` are the orders that had the courier which it chooses, `nobody` those that none of its
    couriers takes. `cost` is estimated and `paid` was paid, in rupees, over the orders where both
    are known; `unknown` are the others.
    """

    rule = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    strategy = serializers.ChoiceField(choices=Strategy.choices)
    orders = serializers.IntegerField()
    couriers = serializers.DictField(child=serializers.IntegerField())
    same = serializers.IntegerField()
    nobody = serializers.IntegerField()
    cost = decimal()
    paid = decimal()
    unknown = serializers.IntegerField()


class RuleSimulationSerializer(serializers.Serializer[Any]):
    """The outcome of each rule on the orders of the last days, the newest of them."""

    days = serializers.IntegerField()
    orders = serializers.IntegerField()
    cut = serializers.BooleanField(help_text="There are older orders in these days.")
    outcomes = RuleOutcomeSerializer(many=True)


class RuleSimulationView(ApiView):
    """What the rules would have chosen."""

    @extend_schema(operation_id="simulate_courier_rules", responses={200: RuleSimulationSerializer})
    def get(self, request: Request) -> Response:
        """What each rule would have chosen for the orders of the last 30 days, and cost.

        No courier is asked: prices and days are estimated from the company's own parcels.
        """
        found = simulate_rules(company_of(request), is_test=is_test(request))
        outcomes = [
            {
                "rule": one.id or None,
                "name": one.name,
                "strategy": str(one.strategy),
                "orders": one.orders,
                "couriers": dict(sorted(one.by_courier.items())),
                "same": one.same,
                "nobody": one.nobody,
                "cost": f"{one.cost:.2f}",
                "paid": f"{one.paid:.2f}",
                "unknown": one.unknown,
            }
            for one in found.outcomes
        ]
        return Response(
            {"days": DAYS, "orders": found.orders, "cut": found.is_cut, "outcomes": outcomes}
        )


class RulePreviewView(ApiView):
    """What the rules choose."""

    @extend_schema(
        operation_id="preview_courier_rules",
        scope=Scope.BOOK,
        request=ShipmentDraftSerializer,
        responses={200: ChoiceSerializer, **problems(*OFFER)},
    )
    def post(self, request: Request) -> Response:
        """Whom the rules choose for an order now, and why, without booking it.

        The order is checked as a booking is. Couriers are asked for quotes and serviceability as a
        booking asks them.
        """
        draft = clean_draft(ShipmentDraftSerializer.from_data(request.data).draft())
        if not is_auto(draft):
            message = "must be auto or left out: the rules choose no courier for this order"
            raise InvalidRequest([FieldProblem("courier", message)])
        choice = choose(company_of(request), draft, is_test=is_test(request))
        return Response(choice.as_json())
