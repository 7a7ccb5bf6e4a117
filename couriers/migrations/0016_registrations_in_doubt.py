"""Registrations of warehouses may be in doubt: then a person gives the courier's reference."""

from django.db import migrations, models

STATES = ["pending", "synced", "failed", "in_doubt"]


class Migration(migrations.Migration):
    dependencies = [("shipcrowd_couriers", "0015_documents_charges_and_services")]

    operations = [
        migrations.RemoveConstraint(
            model_name="warehouseregistration", name="couriers_registration_state_known"
        ),
        migrations.AlterField(
            model_name="warehouseregistration",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("synced", "Synced"),
                    ("failed", "Failed"),
                    ("in_doubt", "In doubt"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="warehouseregistration",
            constraint=models.CheckConstraint(
                condition=models.Q(state__in=STATES), name="couriers_registration_state_known"
            ),
        ),
    ]
