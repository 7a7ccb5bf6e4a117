"""Give the previous webhook secret an end.

The secrets are encrypted, so the database cannot tell which accounts have one: every account gets
the time of the migration, and the next purge after the end takes it away again.
"""

from typing import Any

from django.db import migrations, models
from django.utils import timezone


def begin_now(apps: Any, schema_editor: Any) -> None:
    """Let the previous secrets that are stored count from the migration."""
    accounts = apps.get_model("shipcrowd_couriers", "CourierAccount")
    accounts.objects.update(previous_webhook_secret_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("shipcrowd_couriers", "0008_encrypt_what_is_stored")]

    operations = [
        migrations.AddField(
            model_name="courieraccount",
            name="previous_webhook_secret_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(begin_now, migrations.RunPython.noop),
    ]
