from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0047_orders_asked_for_again'),
    ]

    operations = [
        migrations.AddField(
            model_name='bookingattempt',
            name='polled_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
