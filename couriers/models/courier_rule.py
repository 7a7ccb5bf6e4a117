"""A company's rules that choose the courier of an order which names none."""

from __future__ import annotations

from django.db import models

from couriers.contract.field_problems import FieldProblems
from couriers.models.company import Company
from couriers.models.ids import new_rule_id
from couriers.models.modes import mode_field
from couriers.models.rule_terms import (
    InvalidRule,
    RuleTerms,
    Strategy,
    read_conditions,
    read_couriers,
)

MAX_RULES = 100  # of a company and mode: all are read for each booking that names no courier


class CourierRule(models.Model):
    """A rule of a company. The first one by `position` whose conditions hold chooses the courier.

    `conditions` and `couriers` are as couriers.models.rule_terms reads them. With `fail_over` the
    next courier is asked after one that surely did not book; with `book_after_doubt` also once a
    doubt has been settled as not booked.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_rule_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="courier_rules")
    is_test = mode_field("For test orders alone.")
    position = models.PositiveIntegerField(
        default=1, help_text="The rule with the lowest position whose conditions hold is taken."
    )
    name = models.CharField(max_length=100)
    is_enabled = models.BooleanField("enabled", default=True)
    conditions = models.JSONField(default=dict, blank=True)
    strategy = models.CharField(max_length=10, choices=Strategy, default=Strategy.CHEAPEST)
    couriers = models.JSONField(default=list, blank=True)
    fail_over = models.BooleanField(
        default=True, help_text="Ask the next courier after one that surely did not book."
    )
    book_after_doubt = models.BooleanField(
        default=False,
        help_text="Ask the next courier by itself once a doubt is settled as not booked.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("company", "is_test", "position", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["company", "is_test", "name"], name="couriers_one_rule_of_a_name"
            ),
            models.CheckConstraint(
                condition=models.Q(strategy__in=Strategy.values),
                name="couriers_rule_strategy_known",
                violation_error_message="Choose a strategy of the list.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def terms(self) -> RuleTerms:
        """Return what the rule says. Raises InvalidRule where its stored JSON cannot be read."""
        return RuleTerms(
            conditions=read_conditions(self.conditions),
            strategy=Strategy(self.strategy),
            couriers=read_couriers(self.couriers, self.strategy),
            fail_over=self.fail_over,
            book_after_doubt=self.book_after_doubt,
            id=self.pk,
            name=self.name,
        )

    def problems(self) -> FieldProblems:
        """Return what is wrong with the rule, by the paths of fields; store both lists tidily."""
        problems = FieldProblems()
        problems.clean_text("name", self.name, 100)
        try:
            self.conditions = read_conditions(self.conditions).as_json()
        except InvalidRule as error:
            problems.extend(error.problems)
        try:
            couriers = read_couriers(self.couriers, self.strategy)
            self.couriers = [each.as_json() for each in couriers]
        except InvalidRule as error:
            problems.extend(error.problems)
        if self.book_after_doubt and not self.fail_over:
            problems.refuse("book_after_doubt", "needs fail-over: it asks the next courier")
        return problems
