"""Rows of test keys are marked. A key may be used from named networks alone."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0031_tries_of_accounts'),
    ]

    operations = [
        migrations.AddField(
            model_name='bulkjob',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, help_text='Booked with test accounts.', verbose_name='test'),
        ),
        migrations.AddField(
            model_name='companyapikey',
            name='allowed_networks',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=43), blank=True, db_default=[], default=list, help_text='Networks it may be used from, as 203.0.113.0/24; from everywhere without any.', size=20),
        ),
        migrations.AddField(
            model_name='companyapikey',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, help_text='A test key books with test accounts, and sees test rows alone.', verbose_name='test'),
        ),
        migrations.AddField(
            model_name='courieraccount',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, help_text="For orders of test keys: the courier's staging system, or the sandbox.", verbose_name='test'),
        ),
        migrations.AddField(
            model_name='idempotencykey',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, verbose_name='test'),
        ),
        migrations.AddField(
            model_name='product',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, help_text='Of test orders alone.', verbose_name='test'),
        ),
        migrations.AddField(
            model_name='shipment',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, help_text='Booked with a test key: no parcel, no bill, purged after a time.', verbose_name='test'),
        ),
        migrations.AddField(
            model_name='warehouse',
            name='is_test',
            field=models.BooleanField(db_default=False, default=False, help_text='For test orders alone.', verbose_name='test'),
        ),
    ]
