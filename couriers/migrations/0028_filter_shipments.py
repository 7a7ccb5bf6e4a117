from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0027_find_shipments'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(fields=['status', '-id'], name='couriers_ship_any_status'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(fields=['courier', '-id'], name='couriers_ship_courier'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('ndr_reason', ''), _negated=True), fields=['ndr_reason', '-id', 'company'], name='couriers_ship_ndr'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('direction', 'reverse')), fields=['-id', 'company'], name='couriers_ship_reverse'),
        ),
    ]
