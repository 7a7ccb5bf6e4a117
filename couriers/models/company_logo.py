"""The logo of a company, which its public tracking pages show."""

from __future__ import annotations

from django.db import models

from couriers.models.company import Company


class LogoType(models.TextChoices):
    """The content types of a stored logo."""

    PNG = "image/png", "PNG"
    JPEG = "image/jpeg", "JPEG"


class CompanyLogo(models.Model):
    """A company's logo, as it is served: an image that the platform has written itself.

    Width and height are in pixels. `digest` is a part of the logo's public URL, so that a browser
    may keep the image for ever. It is a table of its own, because each request of the API reads the
    company's row.
    """

    company = models.OneToOneField(
        Company, on_delete=models.CASCADE, primary_key=True, related_name="logo"
    )
    content = models.BinaryField()
    content_type = models.CharField(max_length=20, choices=LogoType, editable=False)
    digest = models.CharField(max_length=32, db_index=True, editable=False)
    width = models.PositiveSmallIntegerField(editable=False)
    height = models.PositiveSmallIntegerField(editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("company",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(content_type__in=LogoType.values),
                name="couriers_logo_type_known",
                violation_error_message="A logo is stored as PNG or JPEG.",
            ),
        ]

    def __str__(self) -> str:
        return f"Logo of {self.company}"
