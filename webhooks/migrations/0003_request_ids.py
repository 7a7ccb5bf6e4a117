from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_webhooks', '0002_encrypted_bodies'),
    ]

    operations = [
        # The default is the database's, so that a process of the version before can store callbacks.
        migrations.AddField(
            model_name='webhookevent',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
    ]
