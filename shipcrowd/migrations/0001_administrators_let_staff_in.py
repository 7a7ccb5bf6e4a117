"""Administrators may unlock a login and take a lost second factor away."""

from django.db import migrations

from couriers.operations.roles import administer


def grant(apps, schema_editor):
    administer(apps, 'axes', 'accessattempt')
    administer(apps, 'otp_totp', 'totpdevice')


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0049_roles_of_staff'),
        ('axes', '0001_initial'),
        ('otp_totp', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
