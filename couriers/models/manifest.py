"""Manifests: lists of parcels for the handover, which the courier makes in chunks."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from couriers.models.account import CourierAccount
from couriers.models.company import Company
from couriers.models.document import document_storage
from couriers.models.fields import MAX_ERROR_TEXT, EncryptedBytesField, EncryptedTextField
from couriers.models.ids import new_manifest_id


class ManifestState(models.TextChoices):
    """Whether a manifest or a chunk is still to be made, and how it ended."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Manifest(models.Model):
    """A manifest that an operator or a storefront asked for.

    It has failed if one of its chunks has failed. The documents of the other chunks are valid.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_manifest_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="manifests")
    account = models.ForeignKey(CourierAccount, on_delete=models.PROTECT, related_name="manifests")
    state = models.CharField(max_length=10, choices=ManifestState, default=ManifestState.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ManifestState.values), name="couriers_manifest_state_known"
            )
        ]
        indexes = [
            models.Index(fields=["company", "-id"], name="couriers_manifest_company"),
            models.Index(
                fields=["id"],
                condition=Q(state=ManifestState.PENDING),
                name="couriers_manifest_open",
            ),
        ]

    def __str__(self) -> str:
        return self.pk


class ManifestChunk(models.Model):
    """The part of a manifest that one call to the courier makes. Its tracking ids never change.

    The worker that makes it holds a lease until `lease_expires_at`. `attempts` counts the claims,
    so that a worker writes nothing once another worker has claimed the chunk. `failures` counts
    the attempts that failed or whose worker died.

    Its PDF is encrypted with `file_key`. `link` is where the courier has it, until it is stored.
    `url` is that of chunks that were made before the PDF was stored; it is written no more.
    """

    manifest = models.ForeignKey(Manifest, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    tracking_ids = ArrayField(models.CharField(max_length=100))
    state = models.CharField(max_length=10, choices=ManifestState, default=ManifestState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=MAX_ERROR_TEXT, blank=True)
    number = models.CharField(max_length=50, blank=True)
    url = models.URLField("URL", max_length=1000, blank=True)
    link = EncryptedTextField(null=True, blank=True, editable=False)
    file = models.FileField(max_length=300, storage=document_storage, blank=True, db_default="")
    file_key = EncryptedBytesField(null=True)
    size = models.PositiveIntegerField("size in bytes", null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("manifest", "position")
        constraints = [
            models.UniqueConstraint(
                fields=["manifest", "position"], name="couriers_one_chunk_per_position"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ManifestState.values), name="couriers_chunk_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state=ManifestState.PENDING),
                name="couriers_chunk_due",
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(state=ManifestState.FAILED),
                name="couriers_chunk_failed",
            ),
            models.Index(fields=["number"], condition=~Q(number=""), name="couriers_chunk_number"),
            GinIndex(fields=["tracking_ids"], name="couriers_chunk_ids"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id} #{self.position}"
