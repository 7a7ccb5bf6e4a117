"""An order, a key, a warehouse and a product may be there in test mode and in live mode.

Each unique index has the mode as its last column. It is made before the former one is dropped, and
the former release writes live rows alone, which are as unique as before.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

RELEASES_ORDER = ["cancelled", "damaged", "failed", "lost", "not_serviceable", "rto_delivered"]


def replaced(model, name, columns, condition=None, where="", **options):
    """Return the operation that gives a unique constraint other columns, without a lock to read.

    It keeps its name, by which both releases know it. Undone, it refuses test rows that are like
    live ones: purge them before.
    """
    if condition:
        options["condition"] = condition
    fields = [column.removesuffix("_id") for column in columns]
    constraint = models.UniqueConstraint(fields=fields, name=name, **options)
    return migrations.RunSQL(
        _constraint(model, name, columns, where),
        _constraint(model, name, columns[:-1], where),
        state_operations=[
            migrations.RemoveConstraint(model_name=model, name=name),
            migrations.AddConstraint(model_name=model, constraint=constraint),
        ],
    )


def _constraint(model, name, columns, where):
    """Return the statements that give the constraint these columns. `where` is "" for no part."""
    table = f"shipcrowd_couriers_{model}"
    index = f"CREATE UNIQUE INDEX CONCURRENTLY {name}_new ON {table} ({', '.join(columns)})"
    if where:
        return [
            f"{index} WHERE {where}",
            f"DROP INDEX CONCURRENTLY {name}",
            f"ALTER INDEX {name}_new RENAME TO {name}",
        ]
    added = f"ADD CONSTRAINT {name} UNIQUE USING INDEX {name}_new"
    return [index, f"ALTER TABLE {table} DROP CONSTRAINT {name}, {added}"]


def widened(name, fields, include, condition, where):
    """Return the operation that has an index of shipments hold `is_test`, too."""
    columns = [f"{field}_id" if field in ("company", "courier") else field for field in include]

    def steps(held):
        return [
            f"CREATE INDEX CONCURRENTLY {name}_new ON shipcrowd_couriers_shipment "
            f"({', '.join(fields)}) INCLUDE ({', '.join(held)}) WHERE {where}",
            f"DROP INDEX CONCURRENTLY {name}",
            f"ALTER INDEX {name}_new RENAME TO {name}",
        ]

    index = models.Index(fields=fields, include=include, condition=condition, name=name)
    return migrations.RunSQL(
        steps(columns),
        steps(columns[:-1]),
        state_operations=[
            migrations.RemoveIndex(model_name="shipment", name=name),
            migrations.AddIndex(model_name="shipment", index=index),
        ],
    )


WORK = ["damaged", "failed", "in_doubt", "lost", "not_picked", "not_serviceable", "pickup_cancelled", "rto_failed", "undelivered"]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('shipcrowd_couriers', '0032_test_and_live'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='companyapikey',
            index=models.Index(fields=['company', '-created'], name='couriers_key_company'),
        ),
        AddIndexConcurrently(
            model_name='shipment',
            index=models.Index(condition=models.Q(('is_test', True)), fields=['company', '-id'], name='couriers_ship_test'),
        ),
        # The first page counts live rows from these alone.
        widened(
            'couriers_ship_work', ['status', 'created_at'], ['company', 'status_at', 'is_test'],
            models.Q(('status__in', WORK)),
            f"status IN ({', '.join(repr(status) for status in WORK)})",
        ),
        widened(
            'couriers_ship_booked_day', ['booked_at'], ['company', 'courier', 'is_test'],
            models.Q(('booked_at__isnull', False)), "booked_at IS NOT NULL",
        ),
        widened(
            'couriers_ship_delivered_day', ['status_at'], ['company', 'courier', 'is_test'],
            models.Q(('status', 'delivered')), "status = 'delivered'",
        ),
        replaced(
            'bulkjob', 'couriers_one_job_per_key',
            ['company_id', 'idempotency_key', 'is_test'],
            condition=models.Q(('idempotency_key', ''), _negated=True),
            where="NOT (idempotency_key = '' AND idempotency_key IS NOT NULL)",
        ),
        replaced(
            'courieraccount', 'couriers_one_account_per_courier',
            ['company_id', 'courier_id', 'is_test'],
        ),
        replaced(
            'idempotencykey', 'couriers_one_use_of_a_key',
            ['company_id', 'scope', 'key', 'is_test'],
        ),
        replaced(
            'product', 'couriers_one_product_per_sku',
            ['company_id', 'sku', 'is_test'],
        ),
        replaced(
            'shipment', 'couriers_one_live_shipment',
            ['company_id', 'direction', 'order_number', 'is_test'],
            condition=models.Q(models.Q(('status__in', RELEASES_ORDER), _negated=True), ('live_beside_another', False)),
            where="NOT (status IN ('cancelled', 'damaged', 'failed', 'lost', 'not_serviceable', 'rto_delivered')) AND NOT live_beside_another",
        ),
        replaced(
            'warehouse', 'couriers_warehouse_name',
            ['company_id', 'name', 'is_test'],
        ),
        replaced(
            'warehouse', 'couriers_one_default_warehouse',
            ['company_id', 'is_test'],
            condition=models.Q(('is_default', True)),
            where="is_default",
            violation_error_message='The company has another default warehouse.',
        ),
    ]
