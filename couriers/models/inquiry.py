"""Asking a courier about bookings in doubt: one row for each attempt that is in doubt."""

from django.db import models
from django.db.models import Q

from couriers.models.fields import MAX_ERROR_TEXT
from couriers.models.shipment import Shipment


class InquiryAnswer(models.TextChoices):
    """The courier's last answer about a booking in doubt."""

    NONE = "", "Not asked yet"
    FOUND = "found", "It has the booking"
    ABSENT = "absent", "It does not have the booking"
    REFUSED = "refused", "It refused the repeated booking"
    CANNOT_SAY = "cannot_say", "It could not say"


class DoubtInquiry(models.Model):
    """What the courier said of one attempt in doubt, and when it is asked again.

    The courier is asked by a search, or by the same create call with the same reserved number. All
    times but those of the calls are the database's.

    `over_at` is when the create call was first seen to be over. `asked` counts the answers, and
    `failures` those in a row that said nothing. `first_absent_at` is the first absence that counts,
    `last_absent_at` the last absence; `absences` counts all. `outcome`, `code` and `message` tell
    of the last failure, as in CourierCall. `repeat_refused_at` is when the courier refused a
    repeated create call; then only searches follow. `next_attempt_at` is null once the doubt is
    settled, or where nothing more can be asked.
    """

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="inquiries")
    attempt = models.PositiveIntegerField()
    over_at = models.DateTimeField("call over", null=True, blank=True)
    asked = models.PositiveIntegerField("times asked", default=0)
    last_asked_at = models.DateTimeField("last asked", null=True, blank=True)
    last_answer = models.CharField(
        max_length=10, choices=InquiryAnswer, default=InquiryAnswer.NONE, blank=True
    )
    absences = models.PositiveIntegerField(default=0)
    first_absent_at = models.DateTimeField("first absence that counts", null=True, blank=True)
    last_absent_at = models.DateTimeField("last absence", null=True, blank=True)
    repeat_refused_at = models.DateTimeField("repeat refused", null=True, blank=True)
    failures = models.PositiveIntegerField("failures in a row", default=0)
    outcome = models.CharField(max_length=10, blank=True)
    code = models.CharField(max_length=100, blank=True)
    message = models.CharField(max_length=MAX_ERROR_TEXT, blank=True)
    next_attempt_at = models.DateTimeField("asked again", null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "inquiry about a doubt"
        verbose_name_plural = "inquiries about doubts"
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "attempt"], name="couriers_one_inquiry_of_an_attempt"
            ),
            models.CheckConstraint(
                condition=Q(last_answer__in=InquiryAnswer.values),
                name="couriers_inquiry_answer_known",
            ),
            models.CheckConstraint(
                condition=Q(first_absent_at__isnull=True) | Q(last_absent_at__isnull=False),
                name="couriers_inquiry_absences",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="couriers_inquiry_due",
            ),
            models.Index(fields=["created_at"], name="couriers_inquiry_created"),
        ]

    def __str__(self) -> str:
        return f"{self.shipment_id}, attempt {self.attempt}"
