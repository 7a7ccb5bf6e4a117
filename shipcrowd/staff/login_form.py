"""The login form of the admin, which also takes the code of the second factor.

Name, password and code are sent at once, and one sentence answers whatever is wrong. So a guesser
does not learn that a password is right, and no page has to keep the password for a second step.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.signals import user_login_failed
from django.core.validators import MaxLengthValidator
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from shipcrowd.staff import second_factor
from shipcrowd.staff.policies import OFF


class CodeInput(forms.PasswordInput):
    """A visible field whose value is never put into a page again."""

    input_type = "text"


class LoginForm(AuthenticationForm):
    """Name, password, and the code for whoever has a second factor."""

    otp_token = forms.CharField(
        label="Code",
        required=False,
        max_length=20,
        help_text="Of your authenticator app, or a recovery code, if you have switched it on.",
        widget=CodeInput(
            attrs={"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}
        ),
    )

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The user name, the password or the code is wrong, or the code is "
        "missing. Each code is good once; a new one comes every half minute.",
    }

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        # The table of failures has no room for more, and no user has a longer name.
        length = self.fields["username"].max_length
        self.fields["username"].validators.append(MaxLengthValidator(length))
        if second_factor.policy() == OFF:
            del self.fields["otp_token"]
            self.error_messages = AuthenticationForm.error_messages

    def clean(self) -> dict[str, Any]:
        """Check the password, then the code. A wrong code counts as a wrong password does."""
        cleaned: dict[str, Any] = super().clean()
        user: Any = self.get_user()
        if user is None or second_factor.policy() == OFF:
            return cleaned
        if second_factor.app_of(user) is None:
            return cleaned
        user.otp_device = second_factor.verified(user, cleaned.get("otp_token", ""))
        if user.otp_device is None:
            credentials = {"username": user.get_username()}
            user_login_failed.send(__name__, credentials=credentials, request=self.request)
            raise self.get_invalid_login_error()
        return cleaned
