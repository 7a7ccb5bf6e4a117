"""Keep the type and code of scans, and index shipments by when they are due to be polled."""

import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0013_actions_and_pickups'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='scan',
            name='couriers_scan_once',
        ),
        migrations.RemoveIndex(
            model_name='shipment',
            name='couriers_ship_to_poll',
        ),
        migrations.AddField(
            model_name='scan',
            name='courier_code',
            field=models.CharField(blank=True, db_default='', default='', max_length=50),
        ),
        migrations.AddField(
            model_name='scan',
            name='courier_type',
            field=models.CharField(blank=True, db_default='', default='', max_length=30),
        ),
        migrations.AddIndex(
            model_name='shipment',
            index=models.Index(models.F('account'), django.db.models.functions.comparison.Greatest(django.db.models.functions.comparison.Coalesce('tracked_at', 'created_at'), 'polled_at'), models.F('id'), condition=models.Q(('status__in', ['booked', 'delayed', 'in_transit', 'not_picked', 'out_for_delivery', 'out_for_pickup', 'picked_up', 'pickup_cancelled', 'pickup_pending', 'pickup_scheduled', 'rto_delayed', 'rto_failed', 'rto_in_transit', 'rto_out_for_delivery', 'rto_requested', 'undelivered'])), name='couriers_ship_poll_due'),
        ),
        migrations.AddConstraint(
            model_name='scan',
            constraint=models.UniqueConstraint(fields=('shipment', 'at', 'courier_type', 'courier_status', 'courier_code', 'location'), name='couriers_scan_once'),
        ),
    ]
