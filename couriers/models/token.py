"""The access token of an account, encrypted and versioned."""

from django.db import models
from fernet_fields import EncryptedTextField

from couriers.models.account import CourierAccount


class CourierToken(models.Model):
    """The account's current token.

    `version` rises by one with each write and is written by compare-and-set, so that a process
    that outlived its lock cannot put an older token over a newer one. `login_hash` is a keyed hash
    of the login that the token was made with: another login makes a token of its own. `no_newer`
    says that the courier hands out this one until its end, so that asking earlier is of no use.
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
        return f"{self.account_id} v{self.version}"
