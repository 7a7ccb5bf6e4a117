from cryptography.fernet import InvalidToken
from django.db import migrations, transaction

from couriers.models.fields import EncryptedBytesField
from webhooks.payloads import keyed_hash

BATCH = 500  # rows in one transaction


def encrypt_bodies(apps, schema_editor):
    """Encrypt the bodies that are stored, and key their hashes. It can be run again."""
    events = apps.get_model("shipcrowd_webhooks", "WebhookEvent").objects
    last = 0
    while True:
        with transaction.atomic():
            found = events.filter(pk__gt=last, body__isnull=False).order_by("pk")
            batch = list(found.select_for_update()[:BATCH])
            for event in batch:
                if _is_encrypted(event.body):
                    continue
                digest = keyed_hash(event.account_id, bytes(event.content_hash))
                # The row was read as if it were encrypted, so the token is the plain body.
                events.filter(pk=event.pk).update(body=event.body.token, content_hash=digest)
        if not batch:
            return
        last = batch[-1].pk


def _is_encrypted(body):
    try:
        body.open()
    except InvalidToken:
        return False
    return True


class Migration(migrations.Migration):

    # Each batch is committed by itself, so that callbacks are stored meanwhile.
    atomic = False

    dependencies = [
        ('shipcrowd_webhooks', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='webhookevent',
            name='body',
            field=EncryptedBytesField(null=True),
        ),
        migrations.RunPython(encrypt_bodies, migrations.RunPython.noop),
    ]
