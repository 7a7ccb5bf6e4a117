from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0028_filter_shipments'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='bulkorder',
            index=models.Index(fields=['order_number'], name='couriers_order_number'),
        ),
        AddIndexConcurrently(
            model_name='idempotencykey',
            index=models.Index(fields=['key'], name='couriers_key_key'),
        ),
        AddIndexConcurrently(
            model_name='manifestchunk',
            index=models.Index(condition=models.Q(('number', ''), _negated=True), fields=['number'], name='couriers_chunk_number'),
        ),
        AddIndexConcurrently(
            model_name='reservedid',
            index=models.Index(fields=['number'], name='couriers_reserved_number'),
        ),
        AddIndexConcurrently(
            model_name='shipmentflag',
            index=models.Index(condition=models.Q(('tracking_id', ''), _negated=True), fields=['tracking_id'], name='couriers_flag_tracking'),
        ),
    ]
