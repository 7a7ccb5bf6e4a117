"""Events: what a storefront is told. The sequences give their numbers and their reading order."""

import django.db.models.deletion
from django.db import migrations, models

import couriers.models.ids

SEQUENCES = """
CREATE SEQUENCE IF NOT EXISTS shipcrowd_event_numbers;
CREATE SEQUENCE IF NOT EXISTS shipcrowd_event_positions;
"""
SEQUENCES_UNDONE = """
DROP SEQUENCE shipcrowd_event_numbers;
DROP SEQUENCE shipcrowd_event_positions;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0034_pages_of_companies'),
    ]

    operations = [
        migrations.RunSQL(SEQUENCES, SEQUENCES_UNDONE),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.CharField(default=couriers.models.ids.new_event_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(db_default=models.Func(models.Value('shipcrowd_event_numbers'), function='nextval'), editable=False)),
                ('position', models.BigIntegerField(editable=False, null=True)),
                ('type', models.CharField(choices=[('shipment.booked', 'Booked'), ('shipment.in_doubt', 'In doubt'), ('shipment.settled', 'Doubt settled'), ('shipment.status_changed', 'Status changed'), ('shipment.delivered', 'Delivered'), ('shipment.undelivered', 'Undelivered'), ('shipment.action_ended', 'Action ended'), ('shipment.flagged', 'Flagged'), ('job.finished', 'Bulk job finished'), ('manifest.finished', 'Manifest finished'), ('ping', 'Ping')], max_length=30)),
                ('data', models.JSONField()),
                ('is_test', models.BooleanField(db_default=False, default=False, verbose_name='test mode')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('company', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='shipcrowd_couriers.company')),
                ('shipment', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='shipcrowd_couriers.shipment')),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('position__isnull', True)), fields=['number'], name='couriers_event_unnumbered'), models.Index(fields=['shipment'], name='couriers_event_shipment'), models.Index(fields=['created_at'], name='couriers_event_created')],
                'constraints': [models.CheckConstraint(condition=models.Q(('type__in', ['shipment.booked', 'shipment.in_doubt', 'shipment.settled', 'shipment.status_changed', 'shipment.delivered', 'shipment.undelivered', 'shipment.action_ended', 'shipment.flagged', 'job.finished', 'manifest.finished', 'ping'])), name='couriers_event_type_known'), models.UniqueConstraint(fields=('company', 'is_test', 'position'), name='couriers_event_position_once')],
            },
        ),
    ]
