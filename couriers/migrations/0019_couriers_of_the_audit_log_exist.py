"""A decision names a courier that exists. The rows of before are looked at by the next migration."""

import django.db.models.deletion
from django.db import migrations, models

ADD = """
ALTER TABLE shipcrowd_couriers_auditentry
    ADD CONSTRAINT couriers_audit_courier_exists
    FOREIGN KEY (courier_id) REFERENCES shipcrowd_couriers_courier (code)
    DEFERRABLE INITIALLY DEFERRED NOT VALID
"""
REMOVE = "ALTER TABLE shipcrowd_couriers_auditentry DROP CONSTRAINT couriers_audit_courier_exists"


class Migration(migrations.Migration):

    dependencies = [
        ('shipcrowd_couriers', '0018_index_of_decisions_about_couriers'),
    ]

    operations = [
        migrations.RunSQL(
            ADD,
            REMOVE,
            state_operations=[
                migrations.AlterField(
                    model_name='auditentry',
                    name='courier',
                    field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit', to='shipcrowd_couriers.courier'),
                ),
            ],
        ),
    ]
