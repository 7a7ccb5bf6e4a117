"""The groups that the migrations create, and what each may do."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from couriers.operations.roles import (
    ADMINISTRATOR,
    FINANCE,
    OPERATIONS,
    ROLES,
    SUPPORT,
    WEBHOOKS,
    create_roles,
    extend_roles,
)
from tests.support.roles import make_roles


@pytest.fixture(autouse=True)
def _roles(db: None) -> None:
    make_roles()


def may(role: str) -> set[str]:
    found = Permission.objects.filter(group__name=role)
    return set(found.values_list("codename", flat=True))


def test_support_reads_and_sees_neither_consignees_nor_amounts_nor_logins() -> None:
    found = may(SUPPORT)
    assert {"view_shipment", "view_scan", "view_webhookevent", "view_auditentry"} <= found
    assert all(name.startswith("view_") for name in found)
    assert not found & {
        "view_consignee", "view_amounts", "view_companyapikey", "view_storeddocument",
        "view_staffscope", "view_user",
    }  # fmt: skip


def test_operations_acts_and_administers_nothing() -> None:
    extra = may(OPERATIONS) - may(SUPPORT)
    assert extra == {
        "act_on_shipment", "settle_doubt", "lift_status", "clear_flag", "give_reference",
        "replay_event", "operate_endpoint", "view_consignee", "view_storeddocument",
    }  # fmt: skip


def test_finance_reads_amounts_and_exports() -> None:
    assert may(FINANCE) - may(SUPPORT) == {"view_amounts", "export_rows"}


def test_an_administrator_may_do_everything() -> None:
    found = may(ADMINISTRATOR)
    ours = Permission.objects.filter(content_type__app_label__startswith="shipcrowd_")
    assert set(ours.values_list("codename", flat=True)) <= found
    assert {"change_user", "add_group", "change_courieraccount", "change_rollout"} <= found


def test_a_group_that_a_project_changed_stays_as_it_is() -> None:
    Group.objects.get(name=SUPPORT).permissions.clear()
    create_roles(apps)
    extend_roles(apps, WEBHOOKS)
    assert may(SUPPORT) == set()
    assert Group.objects.count() == len(ROLES)


def test_the_migrations_created_them(django_db_setup: Any) -> None:
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder(connection).applied_migrations()
    names = {name for _, name in applied if name.endswith("roles_of_staff")}
    assert len(names) == 2
