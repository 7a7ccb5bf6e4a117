"""Add the tables of actions on shipments and of pickups at warehouses, and a flag of actions."""

import couriers.models.fields
import couriers.models.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0012_search_and_reserved_numbers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ShipmentAction',
            fields=[
                ('state', models.CharField(choices=[('requested', 'Requested'), ('accepted', 'Accepted'), ('done', 'Done'), ('refused', 'Refused'), ('unknown', 'Unknown')], default='requested', max_length=10)),
                ('outcome', models.CharField(blank=True, choices=[('done', 'Done'), ('accepted', 'Accepted'), ('not_sent', 'Not sent'), ('not_done', 'Not done'), ('rejected', 'Rejected'), ('unknown', 'Unknown')], max_length=10)),
                ('handle', models.CharField(blank=True, max_length=200)),
                ('words', models.CharField(blank=True, max_length=1000, verbose_name="courier's words")),
                ('key_prefix', models.CharField(blank=True, max_length=20, verbose_name='asked with API key')),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('id', models.CharField(default=couriers.models.ids.new_action_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('cancel', 'Cancel'), ('reattempt', 'Another delivery attempt'), ('rto', 'Return to origin'), ('address', 'Change of address'), ('pickup', 'Pickup on a day')], max_length=10)),
                ('day', models.DateField(blank=True, null=True)),
                ('slot', models.CharField(blank=True, max_length=50)),
                ('asked', couriers.models.fields.EncryptedJSONField(blank=True, default=dict)),
                ('status_after', models.CharField(blank=True, choices=[('booking', 'Booking'), ('in_doubt', 'In doubt'), ('failed', 'Failed'), ('booked', 'Booked'), ('pickup_pending', 'Pickup pending'), ('pickup_scheduled', 'Pickup scheduled'), ('out_for_pickup', 'Out for pickup'), ('not_picked', 'Not picked'), ('pickup_cancelled', 'Pickup cancelled'), ('picked_up', 'Picked up'), ('in_transit', 'In transit'), ('delayed', 'Delayed'), ('out_for_delivery', 'Out for delivery'), ('undelivered', 'Undelivered'), ('delivered', 'Delivered'), ('not_serviceable', 'Not serviceable'), ('cancelled', 'Cancelled'), ('rto_requested', 'RTO requested'), ('rto_in_transit', 'RTO in transit'), ('rto_delayed', 'RTO delayed'), ('rto_out_for_delivery', 'RTO out for delivery'), ('rto_failed', 'RTO failed'), ('rto_delivered', 'RTO delivered'), ('lost', 'Lost'), ('damaged', 'Damaged')], max_length=30, verbose_name='status that follows')),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True)),
                ('asks', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='WarehousePickup',
            fields=[
                ('state', models.CharField(choices=[('requested', 'Requested'), ('accepted', 'Accepted'), ('done', 'Done'), ('refused', 'Refused'), ('unknown', 'Unknown')], default='requested', max_length=10)),
                ('outcome', models.CharField(blank=True, choices=[('done', 'Done'), ('accepted', 'Accepted'), ('not_sent', 'Not sent'), ('not_done', 'Not done'), ('rejected', 'Rejected'), ('unknown', 'Unknown')], max_length=10)),
                ('handle', models.CharField(blank=True, max_length=200)),
                ('words', models.CharField(blank=True, max_length=1000, verbose_name="courier's words")),
                ('key_prefix', models.CharField(blank=True, max_length=20, verbose_name='asked with API key')),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('id', models.CharField(default=couriers.models.ids.new_pickup_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('slot', models.CharField(blank=True, max_length=50)),
                ('count', models.PositiveIntegerField()),
            ],
            options={
                'ordering': ('-id',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='shipmentflag',
            name='couriers_flag_kind_known',
        ),
        migrations.AlterField(
            model_name='shipmentflag',
            name='kind',
            field=models.CharField(choices=[('second_shipment', 'The courier has another tracking id for the order'), ('booked_again', 'The courier booked an order again whose shipment had ended'), ('late_confirmation', 'Given up as not booked, then confirmed'), ('late_answer', "Given up as not booked, then the courier's answer came"), ('earlier_attempt', 'An earlier attempt is booked as well'), ('ambiguous_creation', 'A tracking id may belong to two shipments'), ('possible_creation', 'A tracking id came under a similar order number'), ('ambiguous_recreation', 'Recreated, but of which shipment'), ('recreated_as_other', "Recreated under another shipment's tracking id"), ('other_order', 'The courier names another order for the tracking id'), ('late_scans', 'Scans came after the end'), ('future_scans', 'Scans with a time in the future'), ('order_taken', 'On its way again, but the order has another live shipment'), ('live_twice', 'The order has live shipments with two couriers'), ('action_unknown', 'Nobody knows how an action ended')], max_length=30),
        ),
        migrations.AddConstraint(
            model_name='shipmentflag',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['second_shipment', 'booked_again', 'late_confirmation', 'late_answer', 'earlier_attempt', 'ambiguous_creation', 'possible_creation', 'ambiguous_recreation', 'recreated_as_other', 'other_order', 'late_scans', 'future_scans', 'order_taken', 'live_twice', 'action_unknown'])), name='couriers_flag_kind_known'),
        ),
        migrations.AddField(
            model_name='shipmentaction',
            name='asked_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='shipmentaction',
            name='shipment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='actions', to='shipcrowd_couriers.shipment'),
        ),
        migrations.AddField(
            model_name='warehousepickup',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pickups', to='shipcrowd_couriers.courieraccount'),
        ),
        migrations.AddField(
            model_name='warehousepickup',
            name='asked_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='warehousepickup',
            name='warehouse',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pickups', to='shipcrowd_couriers.warehouse'),
        ),
        migrations.AddIndex(
            model_name='shipmentaction',
            index=models.Index(condition=models.Q(('state', 'accepted')), fields=['next_attempt_at'], name='couriers_action_accepted'),
        ),
        migrations.AddIndex(
            model_name='shipmentaction',
            index=models.Index(condition=models.Q(('state', 'requested')), fields=['lease_expires_at'], name='couriers_action_requested'),
        ),
        migrations.AddConstraint(
            model_name='shipmentaction',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'accepted', 'done', 'refused', 'unknown'])), name='couriers_action_state_known'),
        ),
        migrations.AddConstraint(
            model_name='shipmentaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'requested'), _negated=True), ('lease_expires_at__isnull', False), _connector='OR'), name='couriers_action_requested_has_lease'),
        ),
        migrations.AddConstraint(
            model_name='shipmentaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ('done', 'refused', 'unknown'))), models.Q(('ended_at__isnull', True), ('state__in', ('requested', 'accepted'))), _connector='OR'), name='couriers_action_ended_has_time'),
        ),
        migrations.AddConstraint(
            model_name='shipmentaction',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['accepted', 'requested'])), fields=('shipment',), name='couriers_one_open_action'),
        ),
        migrations.AddConstraint(
            model_name='shipmentaction',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['cancel', 'reattempt', 'rto', 'address', 'pickup'])), name='couriers_action_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='shipmentaction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'accepted'), _negated=True), ('next_attempt_at__isnull', False), _connector='OR'), name='couriers_action_accepted_is_asked_about'),
        ),
        migrations.AddIndex(
            model_name='warehousepickup',
            index=models.Index(condition=models.Q(('state', 'requested')), fields=['lease_expires_at'], name='couriers_pickup_requested'),
        ),
        migrations.AddConstraint(
            model_name='warehousepickup',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'accepted', 'done', 'refused', 'unknown'])), name='couriers_pickup_state_known'),
        ),
        migrations.AddConstraint(
            model_name='warehousepickup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'requested'), _negated=True), ('lease_expires_at__isnull', False), _connector='OR'), name='couriers_pickup_requested_has_lease'),
        ),
        migrations.AddConstraint(
            model_name='warehousepickup',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ('done', 'refused', 'unknown'))), models.Q(('ended_at__isnull', True), ('state__in', ('requested', 'accepted'))), _connector='OR'), name='couriers_pickup_ended_has_time'),
        ),
        migrations.AddConstraint(
            model_name='warehousepickup',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['accepted', 'done', 'requested'])), fields=('warehouse', 'account', 'day'), name='couriers_one_pickup_of_a_day'),
        ),
    ]
