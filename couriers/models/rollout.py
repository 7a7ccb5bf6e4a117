"""How far a courier is rolled out: the companies that may book with it.

This is about new bookings alone. A shipment that exists is served whatever the roll-out.
"""

from __future__ import annotations

import hashlib

from django.db import models

BUCKETS = 100


class CourierRollout(models.TextChoices):
    """The companies that a courier takes new bookings of.

    `percentage` includes the named companies, so that none of them loses the courier when the
    roll-out goes on to a share of all. At 0 per cent it includes no company, named or not.
    """

    OFF = "off", "No company"
    COMPANIES = "companies", "Named companies"
    PERCENTAGE = "percentage", "Named companies and a percentage of all"
    ALL = "all", "All companies"


class NotReached(models.TextChoices):
    """Why the roll-out of a courier does not include a company."""

    OFF = "off", "the courier is off for every company"
    NOT_NAMED = "not_named", "it is none of the named companies"
    NOT_IN_PERCENTAGE = "not_in_percentage", "it is outside of the percentage"


def bucket_of(company_id: int, courier: str) -> int:
    """Return the company's place in the roll-outs of a courier, 0 to 99.

    It never changes. A percentage includes the places below it, so a higher one only adds
    companies. Each courier begins with other companies.
    """
    digest = hashlib.sha256(f"{courier}:{company_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % BUCKETS


def not_reached(
    rollout: str, percentage: int, *, company_id: int, courier: str, is_named: bool
) -> NotReached | None:
    """Return why a roll-out does not include the company, or None where it does.

    `percentage` is 0 to 100, and counts with PERCENTAGE alone.
    """
    match CourierRollout(rollout):
        case CourierRollout.ALL:
            return None
        case CourierRollout.OFF:
            return NotReached.OFF
        case CourierRollout.COMPANIES:
            return None if is_named else NotReached.NOT_NAMED
    if percentage > 0 and (is_named or bucket_of(company_id, courier) < percentage):
        return None
    return NotReached.NOT_IN_PERCENTAGE
