"""A courier may be rolled out to some companies; the audit log tells who changed it.

The columns have defaults of the database, so that processes of the former version may go on. The
audit log may be large: what is checked in it, and its index, come in migrations of their own.
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0016_registrations_in_doubt'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='courier',
            options={'ordering': ('code',), 'permissions': [('change_rollout', 'Can change which companies may book with a courier')]},
        ),
        migrations.AddField(
            model_name='courier',
            name='rollout',
            field=models.CharField(choices=[('off', 'No company'), ('companies', 'Named companies'), ('percentage', 'Named companies and a percentage of all'), ('all', 'All companies')], db_default='all', default='all', editable=False, max_length=10, verbose_name='companies that may book'),
        ),
        migrations.AddField(
            model_name='courier',
            name='rollout_percentage',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='percentage of all companies'),
        ),
        migrations.AddConstraint(
            model_name='courier',
            constraint=models.CheckConstraint(condition=models.Q(('rollout__in', ['off', 'companies', 'percentage', 'all'])), name='couriers_courier_rollout_known', violation_error_message='Choose a roll-out of the list.'),
        ),
        migrations.AddConstraint(
            model_name='courier',
            constraint=models.CheckConstraint(condition=models.Q(('rollout_percentage__lte', 100)), name='couriers_courier_rollout_percentage', violation_error_message='The percentage must be 0 to 100.'),
        ),
        migrations.AddField(
            model_name='courier',
            name='rollout_companies',
            field=models.ManyToManyField(blank=True, editable=False, related_name='rollout_couriers', to='shipcrowd_couriers.company', verbose_name='named companies'),
        ),
        # AlterField would make the foreign key again, which reads the whole table under a lock.
        migrations.RunSQL(
            'ALTER TABLE shipcrowd_couriers_auditentry ALTER COLUMN company_id DROP NOT NULL',
            'ALTER TABLE shipcrowd_couriers_auditentry ALTER COLUMN company_id SET NOT NULL',
            state_operations=[
                migrations.AlterField(
                    model_name='auditentry',
                    name='company',
                    field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='shipcrowd_couriers.company'),
                ),
            ],
        ),
        migrations.AddField(
            model_name='auditentry',
            name='courier',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit', to='shipcrowd_couriers.courier'),
        ),
    ]
