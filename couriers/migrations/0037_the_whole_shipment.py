"""Keep a consignee's landmark and e-mail, a merchant's metadata, and prices; encrypt answers.

An answer that is replayed has the consignee's data now, so the stored ones are encrypted.
"""

from __future__ import annotations

import fernet_fields.fields
from cryptography.fernet import InvalidToken
from django.db import migrations, models, transaction

import couriers.models.fields

APP = "shipcrowd_couriers"
BATCH = 500  # rows in one transaction


def encrypt_answers(apps, schema_editor):
    """Encrypt each stored answer, in batches. It can be run again."""
    keys = apps.get_model(APP, "IdempotencyKey").objects
    last = 0
    while True:
        with transaction.atomic():
            found = keys.filter(pk__gt=last, response_body__isnull=False).order_by("pk")
            rows = list(found.select_for_update(no_key=True).only("response_body")[:BATCH])
            for row in rows:
                if not _is_encrypted(row.response_body):
                    keys.filter(pk=row.pk).update(response_body=row.response_body.token)
        if not rows:
            return
        last = rows[-1].pk


def _is_encrypted(stored):
    try:
        stored.open()
    except InvalidToken:
        # An answer is a JSON object, and no token begins like one.
        return not stored.token.startswith(b"{")
    return True


class Migration(migrations.Migration):

    # Each batch is committed by itself.
    atomic = False

    dependencies = [
        (APP, "0036_triggers_of_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="shipment",
            name="consignee_email",
            field=fernet_fields.fields.EncryptedTextField(
                blank=True, null=True, verbose_name="consignee's e-mail"
            ),
        ),
        migrations.AddField(
            model_name="shipment",
            name="consignee_landmark",
            field=fernet_fields.fields.EncryptedTextField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="shipment",
            name="metadata",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="shipment",
            name="price_booked",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="shipment",
            name="price_quoted",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="response_body",
            field=couriers.models.fields.EncryptedBytesField(blank=True, null=True),
        ),
        migrations.RunPython(encrypt_answers, migrations.RunPython.noop),
    ]
