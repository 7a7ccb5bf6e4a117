"""Endpoints of companies, and what is delivered to them."""

import couriers.models.ids
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import fernet_fields.fields
import webhooks.outbox.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0035_events'),
        ('shipcrowd_webhooks', '0003_request_ids'),
    ]

    operations = [
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.CharField(default=couriers.models.ids.new_endpoint_id, editable=False, max_length=40, primary_key=True, serialize=False)),
                ('is_test', models.BooleanField(db_default=False, default=False, help_text='Of a test key: it is sent the events of test rows alone.', verbose_name='test')),
                ('url', models.CharField(max_length=500, verbose_name='URL')),
                ('description', models.CharField(blank=True, default='', max_length=200)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), default=webhooks.outbox.models.every_event, size=None)),
                ('enabled', models.BooleanField(default=True)),
                ('disabled_by', models.CharField(blank=True, choices=[('', 'Nothing'), ('by_hand', 'By hand'), ('gone', 'It answered 410 Gone'), ('failing', 'It has failed for a day')], default='', max_length=10)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('secret', fernet_fields.fields.EncryptedCharField(max_length=100)),
                ('previous_secret', fernet_fields.fields.EncryptedCharField(blank=True, default='', max_length=100)),
                ('previous_secret_until', models.DateTimeField(blank=True, null=True)),
                ('read_to', models.BigIntegerField(default=0)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('failing_since', models.DateTimeField(blank=True, null=True)),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('served_at', models.DateTimeField(blank=True, null=True)),
                ('is_slow', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('company', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhook_endpoints', to='shipcrowd_couriers.company')),
            ],
            options={
                'verbose_name': 'endpoint',
                'ordering': ('-id',),
                'permissions': [('operate_endpoint', 'Can enable and test endpoints, and send events again')],
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('ordered_by', models.CharField(editable=False, max_length=40, null=True, verbose_name='shipment')),
                ('position', models.BigIntegerField(editable=False)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('delivered', 'Delivered'), ('given_up', 'Given up')], default='pending', editable=False, max_length=10)),
                ('attempts', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('next_attempt_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('lease_expires_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('status_code', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('answer', models.CharField(blank=True, db_default='', default='', max_length=500)),
                ('error', models.CharField(blank=True, db_default='', default='', max_length=200)),
                ('milliseconds', models.PositiveIntegerField(blank=True, null=True)),
                ('attempted_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('event', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='shipcrowd_couriers.event')),
                ('endpoint', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='shipcrowd_webhooks.webhookendpoint')),
            ],
            options={
                'verbose_name_plural': 'webhook deliveries',
                'ordering': ('-id',),
            },
        ),
        migrations.AddIndex(
            model_name='webhookendpoint',
            index=models.Index(fields=['company', '-id'], name='webhooks_endpoint_company'),
        ),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('disabled_at__isnull', True), ('disabled_by', ''), ('enabled', True)), models.Q(('disabled_at__isnull', False), ('disabled_by__in', ['by_hand', 'gone', 'failing']), ('enabled', False)), _connector='OR'), name='webhooks_endpoint_disabled_has_reason'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['endpoint', '-id'], name='webhooks_delivery_log'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['endpoint', 'next_attempt_at', 'position'], name='webhooks_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['endpoint', 'ordered_by', 'position'], name='webhooks_delivery_order'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('lease_expires_at__isnull', False)), fields=['endpoint'], name='webhooks_delivery_in_flight'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('event', 'endpoint'), name='webhooks_delivery_event_once'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'delivered', 'given_up'])), name='webhooks_delivery_state_known'),
        ),
    ]
