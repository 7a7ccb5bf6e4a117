from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0017_rollout_of_couriers'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(condition=models.Q(('courier__isnull', False)), fields=['courier', '-id'], name='couriers_audit_of_courier'),
        ),
    ]
