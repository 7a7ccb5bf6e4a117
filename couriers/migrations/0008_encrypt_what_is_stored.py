import contextlib

from cryptography.fernet import Fernet, InvalidToken
from django.core.files.base import ContentFile
from django.db import migrations, transaction

from couriers.contract.logs import get_logger
from couriers.models.phones import stored_phone_hash

APP = "shipcrowd_couriers"
BATCH = 500  # rows in one transaction
log = get_logger("couriers.migrations")

def hash_phones(apps, schema_editor):
    """Store the hash of each phone, in batches. It can be run again.

    A phone that FERNET_KEYS do not open gets its hash by `rotate_keys`, once they do.
    """
    shipments = apps.get_model(APP, "Shipment").objects
    last = ""
    while True:
        found = shipments.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        keys = list(found[:BATCH])
        if not keys:
            return
        last = keys[-1]
        with transaction.atomic():
            for pk in keys:
                _hash_phone(shipments, pk)


def _hash_phone(shipments, pk):
    try:
        # A lock, so that a phone that is changed meanwhile is hashed as it is then.
        row = shipments.select_for_update(no_key=True).only("consignee_phone").get(pk=pk)
    except InvalidToken:
        log.warning("phone_unreadable", shipment=pk)
        return
    shipments.filter(pk=pk).update(phone_hash=stored_phone_hash(row.consignee_phone))


def encrypt_labels(apps, schema_editor):
    """Encrypt the files of labels, each with a key of its own.

    A file that this machine cannot read is left: its label is fetched from the courier again.
    """
    labels = apps.get_model(APP, "StoredLabel").objects
    for pk in list(labels.filter(file_key__isnull=True).order_by("pk").values_list("pk", flat=True)):
        label = labels.get(pk=pk)
        storage, name = label.file.storage, str(label.file.name)
        try:
            with storage.open(name, "rb") as file:
                content = file.read()
        except OSError as error:
            log.warning("label_unreadable", label=pk, error=type(error).__name__)
            continue
        key = Fernet.generate_key()
        sealed = storage.save(f"{name}.sealed", ContentFile(Fernet(key).encrypt(content)))
        labels.filter(pk=pk).update(file=sealed, file_key=key)
        with contextlib.suppress(OSError):
            storage.delete(name)


class Migration(migrations.Migration):

    # Each batch is committed by itself.
    atomic = False

    dependencies = [
        (APP, '0007_erasure_and_places_at_rest'),
    ]

    operations = [
        migrations.RunPython(hash_phones, migrations.RunPython.noop),
        migrations.RunPython(encrypt_labels, migrations.RunPython.noop),
    ]
