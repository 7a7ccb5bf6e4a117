"""Products: what shops' exports of orders do not say about the goods."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Upper

from couriers.contract import india
from couriers.contract.field_problems import FieldProblems
from couriers.contract.text import character_problem
from couriers.models.company import Company
from couriers.models.ids import new_product_id
from couriers.models.modes import mode_field

# The fields that a merchant gives, in the order of a file's columns.
FIELDS = (
    "sku", "name", "category", "hsn_code", "gst_rate", "weight_g", "length_cm", "width_cm",
    "height_cm",
)  # fmt: skip
TEXT_LENGTHS = {"sku": 100, "name": 200, "category": 100}
# The largest of each number: grams and centimetres, as in a parcel.
LARGEST = {"weight_g": 1_000_000, "length_cm": 1_000, "width_cm": 1_000, "height_cm": 1_000}


def product_problems(values: Mapping[str, Any]) -> FieldProblems:
    """Return what is wrong with the fields of a product. One that is missing is not checked.

    `gst_rate` is a Decimal in per cent or None, a weight or size a whole number or None. A rate
    that was withdrawn is not wrong: orders of an earlier day have it.
    """
    problems = FieldProblems()
    for name, longest in TEXT_LENGTHS.items():
        if name in values:
            text = problems.clean_text(name, values[name], longest, required=name == "sku")
            # The text is stored as it is, so a mark at its end or a line break may not stand.
            if not character_problem(text):
                problems.refuse(name, character_problem(values[name]))
    problems.refuse("hsn_code", india.hsn_problem(values.get("hsn_code") or ""))
    if (rate := values.get("gst_rate")) is not None:
        problems.refuse("gst_rate", india.gst_rate_problem(rate, india.today()))
    for name, largest in LARGEST.items():
        if (number := values.get(name)) is not None:
            problems.require(1 <= number <= largest, name, f"must be 1 to {largest}")
    return problems


class Product(models.Model):
    """A product of a company, by its SKU. What is blank or None is not known.

    The weight and the sizes are those of one packed unit, in grams and centimetres. `gst_rate` is
    in per cent.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_product_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="products")
    is_test = mode_field("Of test orders alone.")
    sku = models.CharField("SKU", max_length=100)
    name = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=100, blank=True)
    hsn_code = models.CharField("HSN code", max_length=10, blank=True)
    gst_rate = models.DecimalField(
        "GST rate", max_digits=5, decimal_places=2, null=True, blank=True
    )
    weight_g = models.PositiveIntegerField(
        "weight in grams", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    length_cm = models.PositiveIntegerField(
        "length in cm", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    width_cm = models.PositiveIntegerField(
        "width in cm", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    height_cm = models.PositiveIntegerField(
        "height in cm", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("company", "sku")
        # Operators look for one of any company, by its beginning.
        indexes = [
            models.Index(
                OpClass(Upper("sku"), name="text_pattern_ops"), name="couriers_product_sku"
            ),
            models.Index(
                OpClass(Upper("name"), name="text_pattern_ops"), name="couriers_product_name"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "sku", "is_test"], name="couriers_one_product_per_sku"
            )
        ]

    def __str__(self) -> str:
        return self.sku

    def clean(self) -> None:
        """Raise ValidationError naming each field with a problem."""
        self.sku = self.sku.strip()
        # A field that Django's own checks have refused already may be of another type.
        values = {name: getattr(self, name) for name in FIELDS}
        values |= {name: None for name in LARGEST if not isinstance(values[name], int)}
        if not isinstance(values["gst_rate"], Decimal):
            values["gst_rate"] = None
        errors: dict[str, list[str]] = {}
        for problem in product_problems(values):
            errors.setdefault(problem.field, []).append(problem.message)
        if errors:
            raise ValidationError(errors)
