"""Set up a company to ship with Ekart: its account from the environment, and a warehouse."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from couriers.contract import india
from couriers.contract.accounts import limits_problem
from couriers.models import Company, CompanyApiKey, CourierAccount, Warehouse
from couriers.models.account import previous_secret_fields
from couriers.operations.catalogue import seed_catalogue
from couriers_ekart.callbacks.receiver import EkartReceiver
from couriers_ekart.wire.limits import DEFAULT_LIMITS

ENVIRONMENT = {
    "base_url": "EKART_BASE_URL",
    "client_id": "EKART_CLIENT_ID",
    "username": "EKART_USERNAME",
    "password": "EKART_PASSWORD",
}
KEY_NAME = "seed"


class BadInput(ValueError):
    """A flag or an environment variable that cannot be used. The message names it."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The result of seeding. `api_key` is None if the company had a key already."""

    account: CourierAccount
    api_key: str | None


def account_from(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the account's login and webhook secret. Raises BadInput, naming what is missing."""
    missing = [name for name in ENVIRONMENT.values() if not environment.get(name)]
    if missing:
        raise BadInput(f"set {', '.join(missing)} in the environment")
    values = {field: environment[name] for field, name in ENVIRONMENT.items()}
    values["base_url"] = values["base_url"].removesuffix("/")
    account = CourierAccount(**values)
    if problem := account.base_url_problem():
        raise BadInput(f"EKART_BASE_URL {problem}")
    _check_fields(account, ENVIRONMENT)
    if secret := environment.get("EKART_WEBHOOK_SECRET"):
        if problem := EkartReceiver().secret_problem(secret):
            raise BadInput(f"EKART_WEBHOOK_SECRET {problem}")
        values["webhook_secret"] = secret
    return values


def limits_from(texts: list[str]) -> dict[str, dict[str, float]]:
    """Read limits such as `create_shipment=200/1s`. Raises BadInput, naming what is wrong."""
    limits: dict[str, dict[str, float]] = {}
    for text in texts:
        found = re.fullmatch(r"([a-z0-9_]+)=([1-9][0-9]{0,6})/([1-9][0-9]{0,5})s", text)
        if not found:
            raise BadInput(f"--limit must be like create_shipment=200/1s, not {text!r}")
        operation, count, window = found.groups()
        limits[operation] = {"count": int(count), "window": int(window)}
    if problem := limits_problem(limits, DEFAULT_LIMITS):
        raise BadInput(f"--limit: {problem}")
    return limits


def company_fields(flags: Mapping[str, Any]) -> dict[str, str]:
    """Return the company's fields from the flags of --create. Raises BadInput, naming the flag."""
    required = ("name", "gstin", "address", "state", "pincode", "phone")
    missing = [f"--{name}" for name in required if not flags.get(name)]
    if missing:
        raise BadInput(f"--create needs {', '.join(missing)}")
    checks = {
        "gstin": india.seller_gstin_problem,
        "pincode": india.pincode_problem,
        "phone": india.single_phone_problem,
        "state": india.state_problem,
    }
    for flag, problem_of in checks.items():
        if problem := problem_of(flags[flag]):
            raise BadInput(f"--{flag} {problem}")
    place = india.place_of(flags["pincode"])
    city = flags.get("city") or (place.city if place else "")
    if not city:
        raise BadInput("--city is needed: the city of the pincode is not known")
    fields = {
        "name": flags["name"],
        "gstin": flags["gstin"],
        "address": flags["address"],
        "city": city,
        "state": india.state_name(flags["state"]) or "",
        "pincode": flags["pincode"],
        "phone": india.parse_phone(flags["phone"]) or "",
    }
    _check_fields(Company(slug=flags["company"], **fields), {"slug": "--company"})
    return fields


def _check_fields(row: Company | CourierAccount, names: Mapping[str, str]) -> None:
    """Raise BadInput for a value that does not fit its column. `names` are what the user typed."""
    try:
        row.clean_fields(exclude={"company", "courier"})
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise BadInput(f"{names.get(field, f'--{field}')}: {problems[0]}") from None


def seed(
    slug: str,
    company_defaults: Mapping[str, str] | None,
    login: Mapping[str, str],
    limits: Mapping[str, Any],
    *,
    new_key: bool = False,
) -> Seeded:
    """Create or update the company's account, and create what is missing beside it.

    That is the company (unless `company_defaults` is None), a default warehouse and an API key. A
    webhook secret that an earlier run took is not taken again, because it may have been rotated
    since. Raises Company.DoesNotExist, and BadInput where another account has the login.
    """
    with transaction.atomic():
        seed_catalogue()
        if company_defaults is None:
            company = Company.objects.get(slug=slug)
        else:
            company, _ = Company.objects.get_or_create(slug=slug, defaults=company_defaults)
        defaults: dict[str, Any] = dict(login)
        if limits:
            defaults["limits"] = dict(limits)
        existing = CourierAccount.objects.filter(company=company, courier_id="ekart").first()
        if secret := defaults.pop("webhook_secret", ""):
            defaults |= _secret_fields(existing, secret)
        account = _store_account(company, defaults)
        if not Warehouse.objects.filter(company=company, is_default=True).exists():
            _default_warehouse(company)
        unexpired = Q(expiry_date=None) | Q(expiry_date__gt=timezone.now())
        usable = CompanyApiKey.objects.get_usable_keys().filter(unexpired, company=company)
        api_key = None
        if new_key or not usable.exists():
            _, api_key = CompanyApiKey.objects.create_key(name=KEY_NAME, company=company)
    return Seeded(account, api_key)


def _store_account(company: Company, defaults: Mapping[str, Any]) -> CourierAccount:
    try:
        account, _ = CourierAccount.objects.update_or_create(
            company=company, courier_id="ekart", defaults=defaults
        )
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise BadInput(f"{ENVIRONMENT.get(field, field)}: {problems[0]}") from None
    return account


def _secret_fields(existing: CourierAccount | None, secret: str) -> dict[str, Any]:
    """Return the account's fields to change for the secret: none if it was taken before."""
    if existing and check_password(secret, existing.seeded_secret_hash):
        return {}
    fields: dict[str, Any] = {"webhook_secret": secret, "seeded_secret_hash": make_password(secret)}
    if existing and existing.webhook_secret != secret:
        # Ekart may still sign with the secret before.
        fields |= previous_secret_fields(existing.webhook_secret)
    return fields


def _default_warehouse(company: Company) -> None:
    Warehouse.objects.create(
        company=company,
        name="Main warehouse",
        contact_name=company.name[:100],
        phone=company.phone,
        address=company.address,
        city=company.city,
        state=company.state,
        pincode=company.pincode,
        is_default=True,
    )
