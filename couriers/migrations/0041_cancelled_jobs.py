from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0040_documents_of_manifests'),
    ]

    operations = [
        migrations.AddField(
            model_name='bulkjob',
            name='cancelled_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
