from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0041_cancelled_jobs'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='bulkorder',
            index=models.Index(fields=['job', 'outcome', 'position'], name='couriers_order_outcome'),
        ),
    ]
