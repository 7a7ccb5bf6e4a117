"""The couriers' lists of pincodes, as they were last loaded."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Upper

from couriers.contract.types import Serviceability
from couriers.models.account import Courier
from couriers.models.company import pincode_validator


class ServiceablePincode(models.Model):
    """One line of a courier's list. A column is null where the list does not name its value."""

    courier = models.ForeignKey(Courier, on_delete=models.CASCADE, related_name="+")
    pincode = models.CharField(max_length=6, validators=[pincode_validator])
    serviceable = models.BooleanField()
    cod = models.BooleanField("COD", null=True, blank=True)
    max_cod_amount = models.DecimalField(
        "COD at most", max_digits=12, decimal_places=2, null=True, blank=True
    )
    forward_pickup = models.BooleanField(null=True, blank=True)
    forward_drop = models.BooleanField(null=True, blank=True)
    reverse_pickup = models.BooleanField(null=True, blank=True)
    reverse_drop = models.BooleanField(null=True, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=100, blank=True)
    remark = models.CharField(max_length=300, blank=True)
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ("courier", "pincode")
        constraints = [
            models.UniqueConstraint(
                fields=["courier", "pincode"], name="couriers_one_line_per_pincode"
            )
        ]
        # Operators look for one, at any courier; of a city for its beginning.
        indexes = [
            models.Index(fields=["pincode"], name="couriers_pincode_any"),
            models.Index(
                OpClass(Upper("city"), name="text_pattern_ops"), name="couriers_pincode_city"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pincode} by {self.courier_id}"

    def as_serviceability(self) -> Serviceability:
        """Return the line as the contract's dataclass."""
        return Serviceability(
            pincode=self.pincode,
            serviceable=self.serviceable,
            cod=self.cod,
            max_cod_amount=self.max_cod_amount,
            forward_pickup=self.forward_pickup,
            forward_drop=self.forward_drop,
            reverse_pickup=self.reverse_pickup,
            reverse_drop=self.reverse_drop,
            city=self.city,
            state=self.state,
            remark=self.remark,
        )
