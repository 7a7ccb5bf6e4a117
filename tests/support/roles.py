"""Users of the groups that the migrations create."""

from __future__ import annotations

from django.apps import apps
from django.contrib.auth.models import Group, User

from couriers.operations.roles import WEBHOOKS, administer, create_roles, extend_roles


def make_roles() -> None:
    """Create the groups where they are missing: a flush of all tables takes them away."""
    create_roles(apps)
    extend_roles(apps, WEBHOOKS)
    administer(apps, "axes", "accessattempt")
    administer(apps, "otp_totp", "totpdevice")


def staff_of(role: str, username: str | None = None) -> User:
    """Return a new member of staff in the group."""
    make_roles()
    user = User.objects.create_user(username or role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user
