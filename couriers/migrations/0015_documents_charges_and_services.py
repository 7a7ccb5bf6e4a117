"""Keep what a booking brings: charges, the courier's own order id and tracking page, documents.

The table of labels becomes that of all documents. It keeps its name, and processes of the former
version may go on with it: what they insert is a stored label.
"""

import couriers.models.document
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import fernet_fields.fields
from django.db import migrations, models

APP = 'shipcrowd_couriers'


def rename_permissions(apps, schema_editor):
    """Let those who may view stored labels view stored documents."""
    permissions = apps.get_model('auth', 'Permission').objects
    for permission in permissions.filter(
        content_type__app_label=APP, codename__endswith='_storedlabel'
    ):
        permission.codename = permission.codename.replace('storedlabel', 'storeddocument')
        permission.name = permission.name.replace('stored label', 'stored document')
        permission.save()


class Migration(migrations.Migration):

    dependencies = [
        (APP, '0014_codes_of_scans_and_due_polls'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.AlterModelTable("storedlabel", "shipcrowd_couriers_storedlabel"),
        migrations.RenameModel("StoredLabel", "StoredDocument"),
        migrations.RunPython(rename_permissions, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='storeddocument',
            name='couriers_one_label_per_tracking_id',
        ),
        migrations.AddField(
            model_name='shipment',
            name='charges',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='shipment',
            name='courier_order_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=100, verbose_name="courier's order id"),
        ),
        migrations.AddField(
            model_name='shipment',
            name='courier_tracking_url',
            field=models.CharField(blank=True, db_default='', default='', max_length=1000, verbose_name="courier's tracking page"),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='attempts',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='content_type',
            field=models.CharField(db_default='application/pdf', default='application/pdf', max_length=50),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='content_types',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), db_default=[], default=list, size=None),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='failures',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='kind',
            field=models.CharField(choices=[('label', 'Label'), ('proof_of_delivery', 'Proof of delivery')], db_default='label', default='label', max_length=30),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='lease_expires_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='link',
            field=fernet_fields.fields.EncryptedTextField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='next_attempt_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=1000),
        ),
        migrations.AddField(
            model_name='storeddocument',
            name='state',
            field=models.CharField(choices=[('pending', 'Pending'), ('stored', 'Stored'), ('failed', 'Failed')], db_default='stored', default='stored', max_length=10),
        ),
        migrations.AlterField(
            model_name='shipment',
            name='service',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name='storeddocument',
            name='file',
            field=models.FileField(blank=True, max_length=300, storage=couriers.models.document.document_storage, upload_to=''),
        ),
        migrations.AlterField(
            model_name='storeddocument',
            name='shipment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='shipcrowd_couriers.shipment'),
        ),
        migrations.AlterField(
            model_name='storeddocument',
            name='stored_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name='storeddocument',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['next_attempt_at'], name='couriers_document_due'),
        ),
        migrations.AddIndex(
            model_name='storeddocument',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['id'], name='couriers_document_failed'),
        ),
        migrations.AddConstraint(
            model_name='storeddocument',
            constraint=models.UniqueConstraint(fields=('shipment', 'kind', 'tracking_id'), name='couriers_one_document_of_a_kind'),
        ),
        migrations.AddConstraint(
            model_name='storeddocument',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['label', 'proof_of_delivery'])), name='couriers_document_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='storeddocument',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['pending', 'stored', 'failed'])), name='couriers_document_state_known'),
        ),
    ]
