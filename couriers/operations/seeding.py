"""Set up a company to ship with a courier: its account from the environment, and a warehouse.

The names of the variables follow from the courier: `<COURIER>_BASE_URL`, one for each field of its
login, and `<COURIER>_WEBHOOK_SECRET`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from couriers.contract import india
from couriers.contract.accounts import limits_problem
from couriers.contract.registry import CourierFactory
from couriers.models import Company, CompanyApiKey, CourierAccount, Warehouse
from couriers.models.account import previous_secret_fields
from couriers.models.logins import login_fields, login_identity, login_problems
from couriers.operations.catalogue import seed_catalogue

KEY_NAME = "seed"


class BadInput(ValueError):
    """A flag or an environment variable that cannot be used. The message names it."""


@dataclass(frozen=True, slots=True, repr=False)
class AccountDetails:
    """An account with a courier, as the environment describes it. `webhook_secret` may be ""."""

    base_url: str
    login: Mapping[str, str]
    webhook_secret: str = ""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The result of seeding. `api_key` is None if the company had a key of the mode already."""

    account: CourierAccount
    api_key: str | None


def variable(courier: str, name: str) -> str:
    """Return the environment variable of a courier: TOY_BASE_URL for "toy" and "base_url"."""
    return f"{courier}_{name}".upper().replace("-", "_")


def account_from(courier: str, environment: Mapping[str, str]) -> AccountDetails:
    """Return the account's login and webhook secret. Raises BadInput, naming what is missing."""
    fields = login_fields(courier)
    required = ("base_url", *(field.name for field in fields if field.required))
    names = [variable(courier, name) for name in required]
    if missing := [name for name in names if not environment.get(name)]:
        raise BadInput(f"set {', '.join(missing)} in the environment")
    given = {field.name: environment.get(variable(courier, field.name), "") for field in fields}
    login = {name: value for name, value in given.items() if value}
    for name, wrong in login_problems(courier, login).items():
        raise BadInput(f"{variable(courier, name)} {wrong}")
    base_url = environment[variable(courier, "base_url")].removesuffix("/")
    account = CourierAccount(courier_id=courier, base_url=base_url, login=login)
    if problem := account.base_url_problem():
        raise BadInput(f"{variable(courier, 'base_url')} {problem}")
    _check_fields(account, {"base_url": variable(courier, "base_url")})
    return AccountDetails(base_url, login, _secret_from(courier, environment))


def _secret_from(courier: str, environment: Mapping[str, str]) -> str:
    name = variable(courier, "webhook_secret")
    secret = environment.get(name, "")
    receiver = CourierFactory.receiver(courier)
    if secret and receiver and (problem := receiver.secret_problem(secret)):
        raise BadInput(f"{name} {problem}")
    return secret


def limits_from(courier: str, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Read limits such as `create_shipment=200/1s`. Raises BadInput, naming what is wrong."""
    limits: dict[str, dict[str, float]] = {}
    for text in texts:
        found = re.fullmatch(r"([a-z0-9_]+)=([1-9][0-9]{0,6})/([1-9][0-9]{0,5})s", text)
        if not found:
            raise BadInput(f"--limit must be like create_shipment=200/1s, not {text!r}")
        operation, count, window = found.groups()
        limits[operation] = {"count": int(count), "window": int(window)}
    if problem := limits_problem(limits, CourierFactory.adapter_class(courier).default_limits):
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


def check_email(email: str) -> None:
    """Raise BadInput for a text that is no e-mail address; "" is none given."""
    if email:
        others = {field.name for field in Warehouse._meta.fields} - {"email"}
        _check_fields(Warehouse(email=email), {}, exclude=others)


def _check_fields(
    row: Company | CourierAccount | Warehouse,
    names: Mapping[str, str],
    exclude: set[str] | None = None,
) -> None:
    """Raise BadInput for a value that does not fit its column. `names` are what the user typed."""
    try:
        row.clean_fields(exclude=exclude or {"company", "courier"})
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise BadInput(f"{names.get(field, f'--{field}')}: {problems[0]}") from None


def seed(
    courier: str,
    slug: str,
    company_defaults: Mapping[str, str] | None,
    details: AccountDetails,
    limits: Mapping[str, Any],
    *,
    email: str = "",
    is_test: bool = False,
    new_key: bool = False,
) -> Seeded:
    """Create or update the company's account of a mode, and create what is missing beside it.

    That is the company (unless `company_defaults` is None), and in the same mode a default
    warehouse with the e-mail address, and an API key. A webhook secret that an earlier run took is
    not taken again, because it may have been rotated since. Raises Company.DoesNotExist, and
    BadInput where another account has the login.
    """
    with transaction.atomic():
        seed_catalogue()
        if company_defaults is None:
            company = Company.objects.get(slug=slug)
        else:
            company, _ = Company.objects.get_or_create(slug=slug, defaults=company_defaults)
        defaults: dict[str, Any] = {"base_url": details.base_url, "login": dict(details.login)}
        if limits:
            defaults["limits"] = dict(limits)
        mode = {"company": company, "is_test": is_test}
        existing = CourierAccount.objects.filter(**mode, courier_id=courier).first()
        if details.webhook_secret:
            defaults |= _secret_fields(existing, details.webhook_secret)
        account = _store_account(mode, courier, defaults)
        _seed_warehouse(company, email, is_test=is_test)
        unexpired = Q(expiry_date=None) | Q(expiry_date__gt=timezone.now())
        usable = CompanyApiKey.objects.get_usable_keys().filter(unexpired, **mode)
        api_key = None
        if new_key or not usable.exists():
            _, api_key = CompanyApiKey.objects.create_key(name=KEY_NAME, **mode)
    return Seeded(account, api_key)


def _store_account(
    mode: Mapping[str, Any], courier: str, defaults: Mapping[str, Any]
) -> CourierAccount:
    try:
        account, _ = CourierAccount.objects.update_or_create(
            **mode, courier_id=courier, defaults=defaults
        )
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        if field == "is_test":
            raise BadInput(f"--test: {problems[0]}") from None
        typed = login_identity(courier) if field == "login" else (field,)
        named = ", ".join(variable(courier, name) for name in typed)
        raise BadInput(f"{named}: {problems[0]}") from None
    return account


def _secret_fields(existing: CourierAccount | None, secret: str) -> dict[str, Any]:
    """Return the account's fields to change for the secret: none if it was taken before."""
    if existing and check_password(secret, existing.seeded_secret_hash):
        return {}
    fields: dict[str, Any] = {"webhook_secret": secret, "seeded_secret_hash": make_password(secret)}
    if existing and existing.webhook_secret != secret:
        # The courier may still sign with the secret before.
        fields |= previous_secret_fields(existing.webhook_secret)
    return fields


def _seed_warehouse(company: Company, email: str, *, is_test: bool) -> None:
    """Create the mode's default warehouse; give one that exists the e-mail address it lacks."""
    existing = Warehouse.objects.filter(company=company, is_test=is_test, is_default=True).first()
    if existing is None:
        Warehouse.objects.create(
            company=company,
            is_test=is_test,
            name="Main warehouse",
            contact_name=company.name[:100],
            phone=company.phone,
            email=email,
            address=company.address,
            city=company.city,
            state=company.state,
            pincode=company.pincode,
            is_default=True,
        )
    elif email and not existing.email:
        existing.email = email
        existing.save(update_fields=["email", "updated_at"])
