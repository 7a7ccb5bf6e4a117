"""Labels of many shipments that workers put into one PDF."""

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from couriers.models.company import Company
from couriers.models.document import document_storage
from couriers.models.fields import MAX_ERROR_TEXT, EncryptedBytesField
from couriers.models.ids import new_label_job_id
from couriers.models.modes import mode_field

KEPT = dt.timedelta(days=1)  # after its end; then a job and its file are deleted


class LabelJobState(models.TextChoices):
    """Whether a PDF of labels is still to be made, and how that ended."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class LabelJob(models.Model):
    """The labels of `shipments`, in this order, on pages of `page_format`.

    It is done with all labels, or has failed: then `missing` has each shipment without one and the
    reason, or `reason` is that of the whole. The file is encrypted with `file_key`, and is deleted
    with the row a day after the end (couriers.operations.shared_files).

    The worker that makes it holds a lease until `lease_expires_at`. `attempts` counts the claims,
    so that a worker stores nothing once another one has claimed the job. `failures` counts the
    attempts that failed or whose worker died.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_label_job_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="label_jobs")
    is_test = mode_field()
    shipments = ArrayField(models.CharField(max_length=40))
    page_format = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=LabelJobState, default=LabelJobState.PENDING)
    missing = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=MAX_ERROR_TEXT, blank=True, default="")
    file = models.FileField(max_length=300, storage=document_storage, blank=True)
    file_key = EncryptedBytesField(null=True)
    size = models.PositiveBigIntegerField("size in bytes", default=0)
    pages = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = "PDF of labels"
        verbose_name_plural = "PDFs of labels"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=LabelJobState.values), name="couriers_label_job_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=LabelJobState.PENDING),
                name="couriers_label_job_due",
            ),
            models.Index(
                fields=["company"],
                condition=Q(state=LabelJobState.PENDING),
                name="couriers_label_job_open",
            ),
            models.Index(fields=["finished_at"], name="couriers_label_job_ended"),
        ]

    def __str__(self) -> str:
        return self.pk

    @property
    def expires_at(self) -> dt.datetime | None:
        """When the file is no longer served; None before the end."""
        return None if self.finished_at is None else self.finished_at + KEPT
