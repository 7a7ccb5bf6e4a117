from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("shipcrowd_couriers", "0037_the_whole_shipment"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="shipment",
            index=models.Index(
                fields=["company", "updated_at", "id"], name="couriers_ship_updated"
            ),
        ),
        AddIndexConcurrently(
            model_name="shipment",
            index=GinIndex(
                OpClass("metadata", name="jsonb_path_ops"),
                condition=models.Q(("metadata", {}), _negated=True),
                name="couriers_ship_metadata",
            ),
        ),
    ]
