"""Give each API key scopes, all of them for those that exist, and the time of its last use."""

import couriers.models.company
import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0009_end_of_the_previous_webhook_secret'),
    ]

    operations = [
        migrations.AddField(
            model_name='companyapikey',
            name='last_used_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last used'),
        ),
        migrations.AddField(
            model_name='companyapikey',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'Read: shipments, scans, labels, jobs, serviceability'), ('book', 'Book: rates, shipments, bulk jobs, returns'), ('operate', 'Operate: cancel, reattempt, RTO, address, warehouses, products, manifests')], max_length=10), default=couriers.models.company.every_scope, help_text='What the key may be used for.', size=None),
        ),
        migrations.AddConstraint(
            model_name='companyapikey',
            constraint=models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['read', 'book', 'operate']), ('scopes__len__gte', 1)), name='couriers_api_key_scopes_known', violation_error_message='A key needs at least one of the scopes.'),
        ),
    ]
