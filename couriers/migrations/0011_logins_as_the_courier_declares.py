"""Keep each login as one encrypted value, whose fields the courier's plug-in declares.

Also: an e-mail address of warehouses, and decisions of operators that are about no shipment.
"""

import django.core.validators
import django.db.models.deletion
import fernet_fields.fields
from cryptography.fernet import InvalidToken
from django.core.management.base import CommandError
from django.db import migrations, models

import couriers.models.fields

APP = "shipcrowd_couriers"
COLUMNS = ("client_id", "username", "password")


def gather_logins(apps, schema_editor):
    """Put the three columns of each account into `login`.

    A value that no key opens cannot be moved, and is not dropped either: then nothing is changed.
    """
    accounts = apps.get_model(APP, "CourierAccount").objects
    unreadable = []
    for pk in list(accounts.order_by("pk").values_list("pk", flat=True)):
        try:
            values = accounts.values(*COLUMNS).get(pk=pk)
        except InvalidToken:
            unreadable.append(pk)
            continue
        login = {name: value for name, value in values.items() if value}
        accounts.filter(pk=pk).update(login=login)
    if unreadable:
        raise CommandError(
            f"FERNET_KEYS do not open the login of {', '.join(unreadable)}. Add the former key to "
            "them, or type these logins again before the upgrade. Nothing was changed."
        )


def spread_logins(apps, schema_editor):
    """Put each login back into the three columns. A login with other fields has no place there."""
    accounts = apps.get_model(APP, "CourierAccount").objects
    for account in accounts.only("login").order_by("pk"):
        if others := set(account.login) - set(COLUMNS):
            raise CommandError(f"the login of {account.pk} has {', '.join(sorted(others))}")
        values = {name: account.login.get(name, "") for name in COLUMNS}
        accounts.filter(pk=account.pk).update(**values)


class Migration(migrations.Migration):

    dependencies = [
        (APP, '0010_scopes_and_use_of_api_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='courieraccount',
            name='login',
            field=couriers.models.fields.EncryptedJSONField(blank=True, default=dict),
        ),
        # Defaults, so that the columns can be added again.
        migrations.AlterField(
            model_name='courieraccount',
            name='client_id',
            field=models.CharField(default='', max_length=200),
        ),
        migrations.AlterField(
            model_name='courieraccount',
            name='username',
            field=fernet_fields.fields.EncryptedTextField(default=''),
        ),
        migrations.AlterField(
            model_name='courieraccount',
            name='password',
            field=fernet_fields.fields.EncryptedTextField(default=''),
        ),
        migrations.RunPython(gather_logins, spread_logins),
        migrations.RemoveField(model_name='courieraccount', name='client_id'),
        migrations.RemoveField(model_name='courieraccount', name='username'),
        migrations.RemoveField(model_name='courieraccount', name='password'),
        migrations.AddField(
            model_name='warehouse',
            name='email',
            field=fernet_fields.fields.EncryptedCharField(blank=True, default='', help_text='Of the people there. Some couriers want one.', max_length=254, validators=[django.core.validators.EmailValidator()], verbose_name='e-mail'),
        ),
        migrations.AlterModelOptions(
            name='warehouseregistration',
            options={'permissions': [('give_reference', "Can give a courier's reference of a warehouse")]},
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='shipment',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit', to='shipcrowd_couriers.shipment'),
        ),
    ]
