"""What became of each account's callbacks: the last good one, and those that were refused."""

from django.db import models

from couriers.models.account import CourierAccount


class CallbackTally(models.Model):
    """One row for each account that a callback came for.

    The inbox writes it every few seconds, not for each callback. `explanation` says how a refused
    callback was signed; it is "" until one came that was signed with the account's secret, only in
    another way. It never holds a body or a secret.
    """

    account = models.OneToOneField(
        CourierAccount, on_delete=models.CASCADE, primary_key=True, related_name="callback_tally"
    )
    accepted_at = models.DateTimeField("last good callback", null=True, blank=True)
    refused_at = models.DateTimeField("last refused callback", null=True, blank=True)
    refused_count = models.PositiveBigIntegerField("refused callbacks", default=0)
    explanation = models.CharField(max_length=300, blank=True)
    explained_at = models.DateTimeField("explained", null=True, blank=True)

    class Meta:
        ordering = ("account",)
        verbose_name = "callbacks of an account"
        verbose_name_plural = "callbacks of accounts"

    def __str__(self) -> str:
        return f"Callbacks of the {self.account}"

    @property
    def is_refused(self) -> bool:
        """Whether the last callback was refused: none has been accepted since."""
        if self.refused_at is None:
            return False
        return self.accepted_at is None or self.accepted_at < self.refused_at

    @property
    def current_explanation(self) -> str:
        """The explanation, or "" where a good callback has come since."""
        if self.explained_at and self.accepted_at and self.accepted_at > self.explained_at:
            return ""
        return self.explanation
