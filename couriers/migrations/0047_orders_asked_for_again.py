from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0046_performance_of_couriers'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('attempt__gt', 1)), fields=['created_at'], include=('company', 'courier', 'is_test'), name='couriers_ship_asked_again'),
        ),
    ]
