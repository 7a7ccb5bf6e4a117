"""The rows of the audit log are looked at beside reading and writing."""

from django.db import migrations

VALIDATE = """
ALTER TABLE shipcrowd_couriers_auditentry VALIDATE CONSTRAINT couriers_audit_courier_exists
"""


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0019_couriers_of_the_audit_log_exist'),
    ]

    operations = [
        migrations.RunSQL(VALIDATE, migrations.RunSQL.noop),
    ]
