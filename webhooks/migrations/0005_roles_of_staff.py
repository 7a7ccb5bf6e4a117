"""The groups of staff may see callbacks, and those who act may replay them."""

from django.db import migrations

from couriers.operations.roles import extend_roles


def extend(apps, schema_editor):
    extend_roles(apps, 'shipcrowd_webhooks')


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_webhooks', '0004_outbox'),
        ('shipcrowd_couriers', '0049_roles_of_staff'),
    ]

    operations = [
        migrations.RunPython(extend, migrations.RunPython.noop),
    ]
