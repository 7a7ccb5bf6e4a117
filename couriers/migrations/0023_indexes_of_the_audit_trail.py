"""The audit trail is searched by row, person, action, company and time at millions of entries."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

ONCE = """
CREATE UNIQUE INDEX CONCURRENTLY couriers_audit_once
    ON shipcrowd_couriers_auditentry (once) WHERE once IS NOT NULL
"""
ONCE_UNDONE = "DROP INDEX CONCURRENTLY couriers_audit_once"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0022_audit_trail'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['object_key', 'model', '-id'], name='couriers_audit_of_row'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['actor_name', '-id'], name='couriers_audit_of_person'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['action', '-id'], name='couriers_audit_of_action'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['company', '-id'], name='couriers_audit_of_company'),
        ),
        AddIndexConcurrently(
            model_name='auditentry',
            index=models.Index(fields=['at'], name='couriers_audit_at'),
        ),
        migrations.RunSQL(
            ONCE,
            ONCE_UNDONE,
            state_operations=[
                migrations.AddConstraint(
                    model_name='auditentry',
                    constraint=models.UniqueConstraint(condition=models.Q(('once__isnull', False)), fields=('once',), name='couriers_audit_once'),
                ),
            ],
        ),
    ]
