"""The access tokens of accounts, encrypted and versioned."""

from django.db import models

from couriers.models.account import CourierAccount
from couriers.models.fields import EncryptedTextField


class CourierToken(models.Model):
    """The account's current token.

    Each write raises `version` by one (compare and set), so that a process that outlived its lock
    cannot overwrite a newer token. `login_hash` is a keyed hash of the login that the token belongs
    to, so that a changed login gets a new token. `no_newer` is set where the courier returns the
    same token until it expires, so that it is not refreshed early.
    """

    account = models.OneToOneField(
        CourierAccount, primary_key=True, on_delete=models.CASCADE, related_name="token"
    )
    access_token = EncryptedTextField()
    token_type = models.CharField(max_length=20, default="Bearer")
    expires_at = models.DateTimeField()
    login_hash = models.CharField(max_length=64, default="")
    no_newer = models.BooleanField(default=False)
    version = models.PositiveBigIntegerField(default=1)
    refreshed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"Token of the {self.account}"
