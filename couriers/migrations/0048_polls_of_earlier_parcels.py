from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0046_performance_of_couriers'),
    ]

    operations = [
        migrations.AddField(
            model_name='bookingattempt',
            name='polled_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
