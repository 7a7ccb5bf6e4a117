from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0024_figures_of_days'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='bulkorder',
            index=models.Index(condition=models.Q(('outcome', 'failed')), fields=['finished_at'], name='couriers_order_failed'),
        ),
        AddIndexConcurrently(
            model_name='manifestchunk',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['finished_at'], name='couriers_chunk_failed'),
        ),
        AddIndexConcurrently(
            model_name='scan',
            index=models.Index(condition=models.Q(('status', '')), fields=['received_at'], include=('shipment',), name='couriers_scan_unknown'),
        ),
        AddIndexConcurrently(
            model_name='scan',
            index=models.Index(condition=models.Q(('ignored', False), ('lifted', False), ('status', 'undelivered')), fields=['at'], include=('shipment',), name='couriers_scan_undelivered'),
        ),
        AddIndexConcurrently(
            model_name='scan',
            index=models.Index(condition=models.Q(('ignored', False), ('lifted', False), ('status__in', ['rto_delayed', 'rto_delivered', 'rto_failed', 'rto_in_transit', 'rto_out_for_delivery', 'rto_requested'])), fields=['at'], include=('shipment',), name='couriers_scan_returned'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('status__in', ['damaged', 'failed', 'in_doubt', 'lost', 'not_picked', 'not_serviceable', 'pickup_cancelled', 'rto_failed', 'undelivered'])), fields=['status', 'created_at'], include=('company', 'status_at'), name='couriers_ship_work'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('booked_at__isnull', False)), fields=['booked_at'], include=('company', 'courier'), name='couriers_ship_booked_day'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('status', 'delivered')), fields=['status_at'], include=('company', 'courier'), name='couriers_ship_delivered_day'),
        ),
        AddIndexConcurrently(
            model_name='shipmentaction',
            index=models.Index(condition=models.Q(('state', 'unknown')), fields=['asked_at'], include=('shipment',), name='couriers_action_unknown'),
        ),
    ]
