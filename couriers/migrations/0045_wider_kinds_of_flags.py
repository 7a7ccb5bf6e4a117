from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0044_earlier_attempts'),
    ]

    operations = [
        ValidateConstraint(model_name='shipmentflag', name='couriers_flag_kind_is_known'),
        migrations.RemoveConstraint(
            model_name='shipmentflag',
            name='couriers_flag_kind_known',
        ),
    ]
