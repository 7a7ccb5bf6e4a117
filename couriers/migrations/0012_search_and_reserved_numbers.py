"""Ask couriers about bookings in doubt, and keep the numbers reserved with them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0011_logins_as_the_courier_declares'),
    ]

    operations = [
        migrations.AddField(
            model_name='shipment',
            name='invoice_date',
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='shipment',
            name='invoice_number',
            field=models.CharField(blank=True, default='', editable=False, max_length=100),
        ),
        migrations.CreateModel(
            name='DoubtInquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempt', models.PositiveIntegerField()),
                ('over_at', models.DateTimeField(blank=True, null=True, verbose_name='call over')),
                ('asked', models.PositiveIntegerField(default=0, verbose_name='times asked')),
                ('last_asked_at', models.DateTimeField(blank=True, null=True, verbose_name='last asked')),
                ('last_answer', models.CharField(blank=True, choices=[('', 'Not asked yet'), ('found', 'It has the booking'), ('absent', 'It does not have the booking'), ('refused', 'It refused the repeated booking'), ('cannot_say', 'It could not say')], default='', max_length=10)),
                ('absences', models.PositiveIntegerField(default=0)),
                ('first_absent_at', models.DateTimeField(blank=True, null=True, verbose_name='first absence that counts')),
                ('last_absent_at', models.DateTimeField(blank=True, null=True, verbose_name='last absence')),
                ('repeat_refused_at', models.DateTimeField(blank=True, null=True, verbose_name='repeat refused')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures in a row')),
                ('outcome', models.CharField(blank=True, max_length=10)),
                ('code', models.CharField(blank=True, max_length=100)),
                ('message', models.CharField(blank=True, max_length=1000)),
                ('next_attempt_at', models.DateTimeField(blank=True, null=True, verbose_name='asked again')),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inquiries', to='shipcrowd_couriers.shipment')),
            ],
            options={
                'verbose_name': 'inquiry about a doubt',
                'verbose_name_plural': 'inquiries about doubts',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('next_attempt_at__isnull', False)), fields=['next_attempt_at'], name='couriers_inquiry_due'), models.Index(fields=['created_at'], name='couriers_inquiry_created')],
                'constraints': [models.UniqueConstraint(fields=('shipment', 'attempt'), name='couriers_one_inquiry_of_an_attempt'), models.CheckConstraint(condition=models.Q(('last_answer__in', ['', 'found', 'absent', 'refused', 'cannot_say'])), name='couriers_inquiry_answer_known'), models.CheckConstraint(condition=models.Q(('first_absent_at__isnull', True), ('last_absent_at__isnull', False), _connector='OR'), name='couriers_inquiry_absences')],
            },
        ),
        migrations.CreateModel(
            name='ReservedId',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('free', 'Free'), ('taken', 'Taken'), ('retired', 'Retired')], default='free', max_length=10)),
                ('attempt', models.PositiveIntegerField(blank=True, null=True)),
                ('fetched_at', models.DateTimeField(verbose_name='fetched')),
                ('use_from', models.DateTimeField(verbose_name='best used from')),
                ('state_at', models.DateTimeField(verbose_name='state since')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reserved_ids', to='shipcrowd_couriers.courieraccount')),
                ('courier', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='shipcrowd_couriers.courier')),
                ('shipment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reserved_ids', to='shipcrowd_couriers.shipment')),
            ],
            options={
                'verbose_name': 'reserved number',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('state', 'free')), fields=['account', 'use_from', 'id'], name='couriers_reserved_free')],
                'constraints': [models.UniqueConstraint(fields=('courier', 'number'), name='couriers_reserved_once'), models.UniqueConstraint(condition=models.Q(('state', 'taken')), fields=('shipment', 'attempt'), name='couriers_one_reserved_per_attempt'), models.CheckConstraint(condition=models.Q(('state__in', ['free', 'taken', 'retired'])), name='couriers_reserved_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('attempt__isnull', True), ('shipment__isnull', True)), models.Q(('attempt__isnull', False), ('shipment__isnull', False)), _connector='OR'), name='couriers_reserved_attempt_whole'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'free'), _negated=True), ('shipment__isnull', True), _connector='OR'), name='couriers_reserved_free_has_none'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'taken'), _negated=True), ('shipment__isnull', False), _connector='OR'), name='couriers_reserved_taken_has_one'), models.CheckConstraint(condition=models.Q(('number', ''), _negated=True), name='couriers_reserved_has_number')],
            },
        ),
    ]
