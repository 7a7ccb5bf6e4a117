"""What members of staff may do and see: names of permissions, and the companies of a user.

The permissions of single decisions are beside them: doubt, flags, lifting, references, rollouts.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from couriers.models.staff_scope import StaffScope

M = TypeVar("M", bound=Model)

ACT = "shipcrowd_couriers.act_on_shipment"  # ask couriers to act: cancel, re-attempt, RTO, address
VIEW_CONSIGNEE = "shipcrowd_couriers.view_consignee"  # phones and addresses, unmasked
VIEW_AMOUNTS = "shipcrowd_couriers.view_amounts"  # amounts, charges and COD
EXPORT = "shipcrowd_couriers.export_rows"  # lists as CSV

_CACHE = "_shipcrowd_companies"


def companies_of(user: Any) -> frozenset[int] | None:
    """Return the ids of the companies that the user is held to, or None where it sees all.

    Somebody who is not logged in sees none. They are read once for each user object, which lives as
    long as a request.
    """
    if user.pk is None:
        return frozenset()
    if not hasattr(user, _CACHE):
        scope = StaffScope.objects.filter(user_id=user.pk).prefetch_related("companies").first()
        ids = None if scope is None else frozenset(one.pk for one in scope.companies.all())
        setattr(user, _CACHE, ids)
    found: frozenset[int] | None = getattr(user, _CACHE)
    return found


def visible_to(user: Any, rows: QuerySet[M], company: str = "company") -> QuerySet[M]:
    """Return those of the rows that belong to companies the user may see.

    `company` is the path from the row to its company, such as "shipment__company".
    """
    ids = companies_of(user)
    return rows if ids is None else rows.filter(**{f"{company}__in": ids})
