"""The audit trail names who, through which door, and the row before and after, and is never emptied.

UPDATE and DELETE are refused since the first migration, TRUNCATE from here on.
"""
import django.core.serializers.json
from django.db import migrations, models


NEVER_EMPTIED = """
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON shipcrowd_couriers_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION shipcrowd_audit_is_append_only();
"""
NEVER_EMPTIED_UNDONE = "DROP TRIGGER audit_is_never_emptied ON shipcrowd_couriers_auditentry"


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0021_permissions_and_companies_of_staff'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditentry',
            name='actor_name',
            field=models.CharField(blank=True, db_default='', default='', max_length=150, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='after',
            field=models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='before',
            field=models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='door',
            field=models.CharField(blank=True, choices=[('admin', 'admin'), ('api', 'API'), ('command', 'command'), ('platform', 'platform')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='model',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='object_key',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='object_text',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='auditentry',
            name='once',
            field=models.CharField(editable=False, max_length=300, null=True),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='details',
            field=models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
        ),
        migrations.RunSQL(NEVER_EMPTIED, NEVER_EMPTIED_UNDONE),
    ]
