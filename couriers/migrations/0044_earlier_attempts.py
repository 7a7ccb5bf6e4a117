"""Attempts to book that are over, the next courier after a doubt, and cancelled parcels of earlier
couriers. A flag can name a courier.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


# As in migration 0036, with the courier that a flag names.
FLAGGED = """
CREATE OR REPLACE FUNCTION shipcrowd_shipment_flagged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shipment shipcrowd_couriers_shipment;
BEGIN
    SELECT * INTO shipment FROM shipcrowd_couriers_shipment WHERE id = NEW.shipment_id;
    PERFORM shipcrowd_write_event(
        'shipment.flagged', shipment.company_id, shipment.id, shipment.is_test,
        jsonb_build_object(
            'shipment', shipcrowd_shipment_facts(shipment),
            'flag', jsonb_build_object(
                'kind', NEW.kind,
                {courier}'tracking_id', NEW.tracking_id,
                'order_number', NEW.order_number,
                'raised_at', shipcrowd_event_time(NEW.raised_at)
            )
        )
    );
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0043_courier_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BookingAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('service', models.CharField(blank=True, max_length=100)),
                ('outcome', models.CharField(choices=[('pending', 'Pending'), ('ok', 'Done'), ('not_sent', 'Not sent'), ('not_done', 'Not done'), ('rejected', 'Rejected'), ('unknown', 'Unknown')], max_length=10)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('tracking_id', models.CharField(blank=True, max_length=100)),
                ('parcel_status', models.CharField(blank=True, choices=[('booking', 'Booking'), ('in_doubt', 'In doubt'), ('failed', 'Failed'), ('booked', 'Booked'), ('pickup_pending', 'Pickup pending'), ('pickup_scheduled', 'Pickup scheduled'), ('out_for_pickup', 'Out for pickup'), ('not_picked', 'Not picked'), ('pickup_cancelled', 'Pickup cancelled'), ('picked_up', 'Picked up'), ('in_transit', 'In transit'), ('delayed', 'Delayed'), ('out_for_delivery', 'Out for delivery'), ('undelivered', 'Undelivered'), ('delivered', 'Delivered'), ('not_serviceable', 'Not serviceable'), ('cancelled', 'Cancelled'), ('rto_requested', 'RTO requested'), ('rto_in_transit', 'RTO in transit'), ('rto_delayed', 'RTO delayed'), ('rto_out_for_delivery', 'RTO out for delivery'), ('rto_failed', 'RTO failed'), ('rto_delivered', 'RTO delivered'), ('lost', 'Lost'), ('damaged', 'Damaged')], max_length=30)),
                ('parcel_status_at', models.DateTimeField(blank=True, null=True)),
                ('found_at', models.DateTimeField(blank=True, null=True, verbose_name='parcel found')),
                ('cancelled_at', models.DateTimeField(blank=True, null=True, verbose_name='parcel cancelled')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='shipcrowd_couriers.courieraccount')),
                ('courier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='shipcrowd_couriers.courier')),
                ('shipment', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='earlier_attempts', to='shipcrowd_couriers.shipment')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('tracking_id', ''), _negated=True), fields=['tracking_id', 'account'], name='couriers_attempt_parcel'), models.Index(fields=['account', 'shipment'], name='couriers_attempt_account')],
                'constraints': [models.UniqueConstraint(fields=('shipment', 'number'), name='couriers_one_row_of_an_attempt'), models.CheckConstraint(condition=models.Q(('outcome__in', ['pending', 'ok', 'not_sent', 'not_done', 'rejected', 'unknown'])), name='couriers_attempt_outcome_known'), models.CheckConstraint(condition=models.Q(models.Q(('found_at__isnull', True), ('tracking_id', '')), models.Q(models.Q(('tracking_id', ''), _negated=True), ('found_at__isnull', False)), _connector='OR'), name='couriers_attempt_parcel_has_time')],
                'ordering': ('shipment', 'number'),
            },
        ),
        migrations.CreateModel(
            name='FailOver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('tries', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(db_index=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('shipment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='fail_over', to='shipcrowd_couriers.shipment')),
            ],
        ),
        migrations.CreateModel(
            name='ParcelCancel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('accepted', 'Accepted'), ('done', 'Done'), ('refused', 'Refused'), ('unknown', 'Unknown')], default='requested', max_length=10)),
                ('outcome', models.CharField(blank=True, choices=[('done', 'Done'), ('accepted', 'Accepted'), ('not_sent', 'Not sent'), ('not_done', 'Not done'), ('rejected', 'Rejected'), ('unknown', 'Unknown')], max_length=10)),
                ('handle', models.CharField(blank=True, max_length=200)),
                ('words', models.CharField(blank=True, max_length=1000, verbose_name="courier's words")),
                ('key_prefix', models.CharField(blank=True, max_length=20, verbose_name='asked with API key')),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('asks', models.PositiveIntegerField(default=0)),
                ('asked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('attempt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cancels', to='shipcrowd_couriers.bookingattempt')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'accepted')), fields=['next_attempt_at'], name='couriers_parcel_cancel_due')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'accepted', 'done', 'refused', 'unknown'])), name='couriers_parcel_cancel_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'requested'), _negated=True), ('lease_expires_at__isnull', False), _connector='OR'), name='couriers_parcel_cancel_requested_has_lease'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ('done', 'refused', 'unknown'))), models.Q(('ended_at__isnull', True), ('state__in', ('requested', 'accepted'))), _connector='OR'), name='couriers_parcel_cancel_ended_has_time'), models.UniqueConstraint(condition=models.Q(('state__in', ['accepted', 'requested'])), fields=('attempt',), name='couriers_one_open_parcel_cancel')],
                'ordering': ('-id',),
            },
        ),
        migrations.AddField(
            model_name='shipment',
            name='attempt_started_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='shipmentflag',
            name='courier',
            field=models.CharField(blank=True, db_default='', default='', max_length=30),
        ),
        migrations.AlterField(
            model_name='shipmentflag',
            name='kind',
            field=models.CharField(choices=[('second_shipment', 'The courier has another tracking id for the order'), ('booked_again', 'The courier booked an order again whose shipment had ended'), ('late_confirmation', 'Given up as not booked, then confirmed'), ('late_answer', "Given up as not booked, then the courier's answer came"), ('earlier_attempt', 'An earlier attempt is booked as well'), ('earlier_courier', 'A courier that was asked before has a parcel as well'), ('ambiguous_creation', 'A tracking id may belong to two shipments'), ('possible_creation', 'A tracking id came under a similar order number'), ('ambiguous_recreation', 'Recreated, but of which shipment'), ('recreated_as_other', "Recreated under another shipment's tracking id"), ('other_order', 'The courier names another order for the tracking id'), ('late_scans', 'Scans came after the end'), ('future_scans', 'Scans with a time in the future'), ('order_taken', 'On its way again, but the order has another live shipment'), ('live_twice', 'The order has live shipments with two couriers'), ('action_unknown', 'Nobody knows how an action ended')], max_length=30),
        ),
        AddConstraintNotValid(
            model_name='shipmentflag',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['second_shipment', 'booked_again', 'late_confirmation', 'late_answer', 'earlier_attempt', 'earlier_courier', 'ambiguous_creation', 'possible_creation', 'ambiguous_recreation', 'recreated_as_other', 'other_order', 'late_scans', 'future_scans', 'order_taken', 'live_twice', 'action_unknown'])), name='couriers_flag_kind_is_known'),
        ),
        migrations.RunSQL(
            FLAGGED.replace('{courier}', "'courier', NEW.courier,\n                "),
            FLAGGED.replace('{courier}', ''),
        ),
    ]
