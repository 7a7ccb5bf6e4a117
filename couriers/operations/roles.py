"""The groups that the migrations create: Support, Operations, Finance and Administrator.

A group is created once. One of that name that is there already, or that a project has changed, is
left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db.models import Q

COURIERS = "shipcrowd_couriers"
WEBHOOKS = "shipcrowd_webhooks"
SUPPORT, OPERATIONS, FINANCE, ADMINISTRATOR = ROLES = (
    "Support", "Operations", "Finance", "Administrator",
)  # fmt: skip

# What only administrators see: logins of couriers and keys of companies, who may do what.
_ADMINISTRATORS_OWN = (
    "view_companyapikey", "view_couriertoken", "view_staffscope", "view_idempotencykey",
    "view_storeddocument",
)  # fmt: skip
_ACTS = (
    "act_on_shipment", "settle_doubt", "lift_status", "clear_flag", "give_reference",
    "view_consignee", "view_storeddocument",
)  # fmt: skip


def permissions_of(role: str, app: str = COURIERS) -> Q:
    """Return which permissions of the app the role has, as a filter of permissions."""
    of_app = Q(content_type__app_label=app)
    if role == ADMINISTRATOR:
        return of_app
    allowed = Q(codename__startswith="view_") & ~Q(
        codename__in=[*_ADMINISTRATORS_OWN, "view_consignee", "view_amounts"]
    )
    extra: tuple[str, ...] = ()
    if role == OPERATIONS:
        extra = (*_ACTS, "replay_event", "operate_endpoint")
    if role == FINANCE:
        extra = ("view_amounts", "export_rows")
    return of_app & (allowed | Q(codename__in=extra))


def create_roles(apps: Any) -> None:
    """Create the groups that are missing, with their permissions on couriers and on users.

    `apps` are those of the migration, whose permissions are stored at once, where Django stores
    them after the last migration.
    """
    user_app, _ = settings.AUTH_USER_MODEL.split(".")
    for label in {COURIERS, "auth", user_app}:
        _store_permissions(apps, label)
    group = apps.get_model("auth", "Group").objects
    for role in ROLES:
        found, created = group.get_or_create(name=role)
        if created:
            found.permissions.set(_permissions(apps, permissions_of(role)))
            if role == ADMINISTRATOR:
                found.permissions.add(*_permissions(apps, _of_users()))


def extend_roles(apps: Any, app: str) -> None:
    """Give the groups that `create_roles` made their permissions on another app."""
    _store_permissions(apps, app)
    group = apps.get_model("auth", "Group").objects
    for role in ROLES:
        # A project's own group of this name may do nothing of ours.
        ours = group.filter(name=role, permissions__codename="view_shipment")
        for found in ours.filter(permissions__content_type__app_label=COURIERS).distinct():
            found.permissions.add(*_permissions(apps, permissions_of(role, app)))


def administer(apps: Any, app: str, model: str) -> None:
    """Let the administrators that `create_roles` made see and delete the rows of a model."""
    _store_permissions(apps, app)
    found = apps.get_model("auth", "Group").objects.filter(
        name=ADMINISTRATOR, permissions__content_type__app_label=COURIERS
    )
    codenames = [f"view_{model}", f"delete_{model}"]
    of_model = Q(content_type__app_label=app, codename__in=codenames)
    for group in found.distinct():
        group.permissions.add(*_permissions(apps, of_model))


def _of_users() -> Q:
    """Return the permissions to administer users and groups."""
    user_app, user = settings.AUTH_USER_MODEL.lower().split(".")
    return Q(content_type__app_label=user_app, content_type__model=user) | Q(
        content_type__app_label="auth", content_type__model="group"
    )


def _permissions(apps: Any, which: Q) -> Iterator[Any]:
    return apps.get_model("auth", "Permission").objects.filter(which).iterator()


def _store_permissions(apps: Any, label: str) -> None:
    """Store the permissions of the app's models as the migrations know them so far."""
    config = apps.get_app_config(label)
    if not hasattr(config, "models_module"):
        config.models_module = True  # an app of a migration, which Django takes for one without
    create_permissions(config, verbosity=0, interactive=False, apps=apps)
