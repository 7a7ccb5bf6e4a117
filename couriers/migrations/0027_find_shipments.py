from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0026_jobs_of_operators'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(fields=['order_number'], name='couriers_ship_any_order'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('tracking_id', ''), _negated=True), fields=['tracking_id'], name='couriers_ship_any_tracking'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('waybill', ''), _negated=True), fields=['waybill'], name='couriers_ship_any_waybill'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('phone_hash', ''), _negated=True), fields=['phone_hash'], name='couriers_ship_any_phone'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(OpClass(Upper('consignee_name'), name='text_pattern_ops'), models.F('company'), name='couriers_ship_name'),
        ),
    ]
