"""Migrations run while the release before them still serves, so they leave it what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import models
from django.db.migrations import (
    AddField,
    AddIndex,
    AlterField,
    CreateModel,
    RemoveField,
    RenameField,
)
from django.db.migrations.operations.base import Operation

from tests.support.migrations import APP, findings, sql_of, write_sql

# Django looks up the constraints that it would replace, so the tables must be there. A migration
# that is not atomic refuses a transaction.
pytestmark = pytest.mark.django_db(transaction=True)

# Written before the first release: no release served while they ran.
BEFORE_THE_FIRST_RELEASE = {
    "couriers.0001_initial",
    "couriers.0002_products_and_warnings",
    "couriers.0003_one_live_shipment_of_an_order",
    "couriers.0004_operators_decisions",
    "couriers.0005_logins_and_callback_tallies",
    "couriers.0006_turns_of_bulk_work",
    "couriers.0007_erasure_and_places_at_rest",
    "couriers.0008_encrypt_what_is_stored",
    "couriers.0009_end_of_the_previous_webhook_secret",
    "couriers.0010_scopes_and_use_of_api_keys",
    "couriers.0011_logins_as_the_courier_declares",
    "couriers.0012_search_and_reserved_numbers",
    "couriers.0013_actions_and_pickups",
    "couriers.0014_codes_of_scans_and_due_polls",
    "couriers.0015_documents_charges_and_services",
    "couriers.0016_registrations_in_doubt",
    "webhooks.0001_initial",
    "webhooks.0002_encrypted_bodies",
}
# What squawk finds in a later one, by migration and rule, and why it harms no release that serves.
ACCEPTED: dict[tuple[str, str], str] = {
    ("couriers.0017_rollout_of_couriers", "ban-drop-not-null"): (
        "It locks the audit log for an instant and reads no row. The former release writes a "
        "company into each entry, and shows none where there is none."
    ),
    ("couriers.0017_rollout_of_couriers", "constraint-missing-not-valid"): (
        "The table of couriers has a row for each plug-in, so there is nothing to wait for."
    ),
    ("couriers.0033_test_rows_apart", "ban-drop-constraint"): (
        "The same statement adds the constraint with one more column, whose index is there already."
    ),
    ("couriers.0033_test_rows_apart", "renaming-object"): (
        "Each new index takes the name of the one that it replaces, by which both releases know it."
    ),
    ("couriers.0045_wider_kinds_of_flags", "ban-drop-constraint"): (
        "The wider constraint of the migration before it holds for every row already."
    ),
}

INDEX = models.Index(fields=["city"], name="city_index")


def text(**options: object) -> models.CharField:
    return models.CharField(max_length=10, **options)  # type: ignore[arg-type]


HARMFUL: dict[str, tuple[Operation, str]] = {
    "a column that the old code does not fill": (
        AddField("company", "motto", text(default="")), "ban-drop-default",
    ),
    "a column that the old code reads": (RemoveField("company", "name"), "ban-drop-column"),
    "another name": (RenameField("company", "name", "title"), "renaming-column"),
    "another kind": (AlterField("company", "name", models.BinaryField()), "changing-column-type"),
    "an index that locks out writing": (
        AddIndex("warehouse", INDEX), "require-concurrent-index-creation",
    ),
    "a constraint that locks while rows are read": (
        AddField("company", "head", models.ForeignKey(f"{APP}.warehouse", models.CASCADE, null=True,
                                                      related_name="+")),
        "adding-foreign-key-constraint",
    ),
}  # fmt: skip
HARMLESS: dict[str, tuple[Operation, bool]] = {
    "a column that may be empty": (AddField("company", "motto", text(null=True)), True),
    "a default of the database": (AddField("company", "motto", text(db_default="")), True),
    "a table": (
        CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), ("text", text())]),
        True,
    ),
    "an index beside writing": (AddIndexConcurrently("warehouse", INDEX), False),
}


def test_migrations_leave_the_release_before_them_what_it_needs(tmp_path: Path) -> None:
    names = write_sql(tmp_path, without=BEFORE_THE_FIRST_RELEASE)
    found = findings(tmp_path / f"{name}.sql" for name in names)
    assert found - ACCEPTED.keys() == set(), "see 'Write a migration' in CONTRIBUTING.md"
    assert ACCEPTED.keys() - found == set(), "accepted, and not there any more"


def test_what_would_harm_the_old_code_is_found_and_what_would_not_is_not(tmp_path: Path) -> None:
    samples = {name: sql_of(operation) for name, (operation, _) in HARMFUL.items()}
    for name, (operation, atomic) in HARMLESS.items():
        samples[name] = sql_of(operation, atomic=atomic)
    for name, sql in samples.items():
        (tmp_path / f"{name}.sql").write_text(sql)
    found = findings(tmp_path / f"{name}.sql" for name in samples)
    assert {(name, rule) for name, (_, rule) in HARMFUL.items()} <= found
    assert {name for name, _ in found} == HARMFUL.keys()
