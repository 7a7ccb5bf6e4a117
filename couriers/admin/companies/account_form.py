"""The form of a courier account, whose login has the fields that the courier's plug-in declares.

A secret is never shown. One that is left blank keeps its stored value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from couriers.contract.accounts import limits_problem
from couriers.contract.logins import LoginField
from couriers.contract.registry import CourierFactory
from couriers.models import CourierAccount
from couriers.models.account import previous_secret_fields
from couriers.models.fields import readable_or
from couriers.models.logins import MAX_LOGIN_VALUE, login_fields, login_identity

WEBHOOK_SECRETS = ("webhook_secret", "previous_webhook_secret")
MAX_SECRET = 500  # characters
HIDDEN = "Stored encrypted, and never shown."
KEEPS = "Leave it blank to keep the stored value."
TYPE_AGAIN = "Type it again: the stored one belongs to the old base URL."
MISSING = "This field is required."


def input_name(field: str) -> str:
    """Return the name of the form's field for a field of the login."""
    return f"login_{field}"


def _secret_input(label: str, max_length: int, help_text: str = HIDDEN) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=max_length,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=help_text,
    )


def _login_input(field: LoginField) -> forms.CharField:
    """Return the input of a field of the login. The form says when it is required."""
    if field.secret:
        return _secret_input(field.label, MAX_LOGIN_VALUE, f"{field.help} {HIDDEN}".strip())
    return forms.CharField(
        label=field.label,
        required=False,
        max_length=MAX_LOGIN_VALUE,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=field.help,
    )


class CourierAccountForm(forms.ModelForm):
    """Base of the form of an account. `form_of` adds the fields of its courier's login."""

    courier_code: str = ""
    refusal: str = ""  # what the courier said to the typed login, which is then not saved

    new_webhook_secret = _secret_input("Webhook secret", MAX_SECRET)
    new_previous_webhook_secret = _secret_input("Previous webhook secret", MAX_SECRET)

    class Meta:
        model = CourierAccount
        fields = (
            "company", "is_test", "base_url", "rollout", "canary_percent", "limits", "settings",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.instance.courier_id = self.courier_code
        # None where no key opens the login.
        self._stored: dict[str, str] | None = readable_or(self.instance, "login", None)
        for field in login_fields(self.courier_code):
            self._prepare(field)
        if not self.instance._state.adding:
            for found in self.fields.values():
                if isinstance(found.widget, UnfoldAdminPasswordWidget):
                    found.help_text = f"{found.help_text} {KEEPS}"

    def _prepare(self, field: LoginField) -> None:
        """Show the stored value of a field that is no secret, and say whether one must be typed."""
        found = self.fields[input_name(field.name)]
        stored = (self._stored or {}).get(field.name, "")
        if not field.secret:
            found.initial = stored
        is_kept = self._stored is None or (field.secret and stored)
        found.required = field.required and not is_kept

    def clean_limits(self) -> Any:
        """Validate the account's limits. Refuses operations that its courier does not have."""
        limits = self.cleaned_data["limits"]
        registered = self.courier_code in CourierFactory.codes()
        defaults = (
            CourierFactory.adapter_class(self.courier_code).default_limits if registered else {}
        )
        if problem := limits_problem(limits, defaults):
            raise forms.ValidationError(problem)
        return limits

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        self._take_webhook_secrets()
        self._take_login()
        if self.refusal:
            self.add_error(None, f"Nothing was saved. {self.refusal}")
        return cleaned

    def _take_webhook_secrets(self) -> None:
        """Set the typed secrets on the account, whose own checks come next."""
        receiver = CourierFactory.receiver(self.courier_code)
        for name in WEBHOOK_SECRETS:
            value = self.cleaned_data.get(f"new_{name}")
            if not value:
                continue
            if receiver and (problem := receiver.secret_problem(value)):
                self.add_error(f"new_{name}", f"The secret {problem}.")
                continue
            is_previous = name == "previous_webhook_secret"
            fields = previous_secret_fields(value) if is_previous else {name: value}
            for field, new in fields.items():
                setattr(self.instance, field, new)

    def _take_login(self) -> None:
        """Set the typed login on the account. Refuses one that lacks a required field.

        A login that no key opens is kept where nothing is typed, and typed as a whole otherwise. A
        new base URL needs the secrets again, so that a stored one is never sent to another host.
        """
        fields = login_fields(self.courier_code)
        typed = {f.name: self.cleaned_data.get(input_name(f.name), "") for f in fields}
        if not fields or (self._keeps_login() and not any(typed.values())):
            return
        moved = "base_url" in self.changed_data and not self.instance._state.adding
        login: dict[str, str] = {}
        for field in fields:
            stored = (self._stored or {}).get(field.name, "") if field.secret else ""
            if moved and stored and not typed[field.name]:
                self._add_login_error(field.name, TYPE_AGAIN)
            elif value := typed[field.name] or stored:
                login[field.name] = value
            elif field.required:
                self._add_login_error(field.name, MISSING)
        self.instance.login = login

    def _keeps_login(self) -> bool:
        """Whether the login is stored, and cannot be read."""
        return self._stored is None and "base_url" not in self.changed_data

    def _add_login_error(self, field: str, message: str) -> None:
        """Add the error, unless the input has one of its own."""
        if input_name(field) not in self.errors:
            self.add_error(input_name(field), message)

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error. The account's own of its login is shown where the login is compared by."""
        by_field: Mapping[str, Any] = getattr(error, "error_dict", {})
        if field is not None or "login" not in by_field:
            return super().add_error(field, error)
        if not any(name.startswith(input_name("")) for name in self.errors):
            names = [input_name(name) for name in login_identity(self.courier_code)]
            super().add_error(names[0] if names else None, ValidationError(by_field["login"]))
        rest = {name: found for name, found in by_field.items() if name != "login"}
        if rest:
            super().add_error(None, ValidationError(rest))
        return None


def form_of(courier: str) -> type[CourierAccountForm]:
    """Return the form of the accounts with a courier."""
    inputs = {input_name(field.name): _login_input(field) for field in login_fields(courier)}
    return type("CourierAccountForm", (CourierAccountForm,), {**inputs, "courier_code": courier})


def login_inputs(courier: str) -> tuple[str, ...]:
    """Return the names of the form's fields for the login, in the order of the plug-in."""
    return tuple(input_name(field.name) for field in login_fields(courier))
