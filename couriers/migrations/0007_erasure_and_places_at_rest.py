import django.core.validators
from django.db import migrations, models
from fernet_fields import EncryptedCharField

import couriers.models.fields
import couriers.models.phones


APP = "shipcrowd_couriers"
TEN_DIGITS = django.core.validators.RegexValidator(
    '^[1-9][0-9]{9}\\Z', 'Ten digits, without +91 or a leading 0.'
)


def encrypt_places(apps, schema_editor):
    """Copy phones and addresses of companies and warehouses into their encrypted columns."""
    for name in ("Company", "Warehouse"):
        rows = apps.get_model(APP, name).objects
        for pk, phone, address in rows.values_list("pk", "phone", "address"):
            rows.filter(pk=pk).update(sealed_phone=phone, sealed_address=address)


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0006_turns_of_bulk_work'),
    ]

    operations = [
        migrations.AddField(
            model_name='shipment',
            name='erased_at',
            field=models.DateTimeField(blank=True, help_text='When the personal data was erased.', null=True, verbose_name='consignee erased'),
        ),
        migrations.AddField(
            model_name='shipment',
            name='phone_hash',
            field=couriers.models.phones.PhoneHashField(default='', phone_field='consignee_phone'),
        ),
        migrations.AddField(
            model_name='storedlabel',
            name='file_key',
            field=couriers.models.fields.EncryptedBytesField(null=True),
        ),
        migrations.AddIndex(
            model_name='shipment',
            index=models.Index(condition=models.Q(('phone_hash', ''), _negated=True), fields=['company', 'phone_hash'], name='couriers_ship_phone'),
        ),
        migrations.AddIndex(
            model_name='shipment',
            index=models.Index(condition=models.Q(('erased_at__isnull', True)), fields=['id'], name='couriers_ship_unerased'),
        ),
        # Encrypted columns take the place of the plain ones.
        migrations.AddField(
            model_name='company',
            name='sealed_address',
            field=EncryptedCharField(blank=True, default='', max_length=500),
        ),
        migrations.AddField(
            model_name='company',
            name='sealed_phone',
            field=EncryptedCharField(blank=True, default='', max_length=10),
        ),
        migrations.AddField(
            model_name='warehouse',
            name='sealed_address',
            field=EncryptedCharField(default='', max_length=500),
        ),
        migrations.AddField(
            model_name='warehouse',
            name='sealed_phone',
            field=EncryptedCharField(default='', max_length=10),
        ),
        migrations.RunPython(encrypt_places, migrations.RunPython.noop),
        migrations.RemoveField('company', 'address'),
        migrations.RemoveField('company', 'phone'),
        migrations.RemoveField('warehouse', 'address'),
        migrations.RemoveField('warehouse', 'phone'),
        migrations.RenameField('company', 'sealed_address', 'address'),
        migrations.RenameField('company', 'sealed_phone', 'phone'),
        migrations.RenameField('warehouse', 'sealed_address', 'address'),
        migrations.RenameField('warehouse', 'sealed_phone', 'phone'),
        migrations.AlterField(
            model_name='company',
            name='phone',
            field=EncryptedCharField(blank=True, max_length=10, validators=[TEN_DIGITS]),
        ),
        migrations.AlterField(
            model_name='company',
            name='address',
            field=EncryptedCharField(blank=True, max_length=500),
        ),
        migrations.AlterField(
            model_name='warehouse',
            name='phone',
            field=EncryptedCharField(max_length=10, validators=[TEN_DIGITS]),
        ),
        migrations.AlterField(
            model_name='warehouse',
            name='address',
            field=EncryptedCharField(max_length=500),
        ),
    ]
