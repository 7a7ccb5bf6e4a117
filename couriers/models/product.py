"""Products: what shops' exports of orders do not say about the goods."""

from django.core.validators import MinValueValidator
from django.db import models

from couriers.models.company import Company
from couriers.models.ids import new_product_id


class Product(models.Model):
    """A product of a company, by its SKU. What is blank or None is not known.

    The weight and the sizes are those of one packed unit, in grams and centimetres. `gst_rate` is
    in per cent.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_product_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="products")
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
        constraints = [
            models.UniqueConstraint(fields=["company", "sku"], name="couriers_one_product_per_sku")
        ]

    def __str__(self) -> str:
        return self.sku
