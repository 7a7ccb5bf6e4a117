"""Setting a courier's roll-out in tests."""

from __future__ import annotations

from couriers.models import Company
from couriers.models.rollout import CourierRollout, bucket_of
from couriers.operations.rollouts import RolloutChange, change_rollout


def roll_out(rollout: str, percentage: int = 0, *, companies: list[str] | None = None,
             courier: str = "toy") -> RolloutChange:  # fmt: skip
    """Set the roll-out of the courier, as an operator does."""
    return change_rollout(
        courier,
        CourierRollout(rollout),
        percentage=percentage,
        companies=companies,
        actor=None,
        reason="tests",
    )


def narrow_to_none_of(company: Company, how: str) -> None:
    """Set a roll-out of the toy courier that does not include the company, in one of WAYS."""
    bucket = bucket_of(company.pk, "toy")
    other = Company.objects.create(slug=f"other-{how}", name="Other")
    match how:
        case "off":
            roll_out("off", companies=[company.slug])
        case "not named":
            roll_out("companies", companies=[other.slug])
        case "percentage 0":
            roll_out("percentage", 0, companies=[company.slug])
        case "outside of the percentage":
            roll_out("percentage", bucket)


WAYS = ("off", "not named", "percentage 0", "outside of the percentage")


def widen_to(company: Company, how: str) -> None:
    """Set a roll-out of the toy courier that includes the company, in one of WIDE_WAYS."""
    bucket = bucket_of(company.pk, "toy")
    match how:
        case "all":
            roll_out("all")
        case "named":
            roll_out("companies", companies=[company.slug])
        case "named before a percentage":
            roll_out("percentage", 1, companies=[company.slug])
        case "inside of the percentage":
            roll_out("percentage", bucket + 1, companies=[])


WIDE_WAYS = ("all", "named", "named before a percentage", "inside of the percentage")
