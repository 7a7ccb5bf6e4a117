"""Logging in to the admin, with and without a second factor."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

LOGIN = "/admin/login/"
PASSWORD = "a-password-of-tests"


def log_in(
    name: str, password: str, code: str = "", *, address: str = "203.0.113.1", client: Any = None,
    headers: dict[str, str] | None = None,
) -> Any:  # fmt: skip
    """Send the form of the admin's login page; return the answer."""
    client = client or Client()
    form = {"username": name, "password": password, "otp_token": code}
    return client.post(LOGIN, form, headers=headers, REMOTE_ADDR=address)


def home_of(name: str, code: str = "") -> tuple[Client, int]:
    """Return a client that logged in, and the status of the admin's first page for it."""
    client = Client()
    log_in(name, PASSWORD, code, client=client, address="192.0.2.1")
    return client, client.get("/admin/").status_code


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    """Return the code that the authenticator shows in so many steps of 30 s from now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, steps)
    return f"{totp.token():06d}"
