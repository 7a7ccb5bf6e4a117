"""Logos: what may be uploaded, what is stored of it, and how it is served."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from django.test import Client
from PIL import Image, PngImagePlugin

from couriers.models import CompanyLogo
from couriers.tracking.logo_images import MAX_BYTES, NotALogo, read_logo
from tests.support.parcel_states import give_logo, make_parcel, make_shop, png_of

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
CANARY = b"canary-in-the-file"


def image_of(
    kind: str, mode: str = "RGB", size: tuple[int, int] = (300, 100), **more: Any
) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "#7a1f5c" if mode != "CMYK" else (0, 90, 20, 40)).save(
        written, kind, **more
    )
    return written.getvalue()


def enormous_png() -> bytes:
    """A PNG of a few bytes that says it has 60,000 by 60,000 pixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (b"IHDR" + head, b"IEND")
    )


@pytest.mark.parametrize(
    ("upload", "content_type"),
    [
        (png_of(), "image/png"), (image_of("PNG", "P"), "image/png"),
        (image_of("JPEG"), "image/jpeg"), (image_of("JPEG", "CMYK"), "image/jpeg"),
        (image_of("JPEG", "L"), "image/jpeg"), (image_of("WEBP"), "image/png"),
        (image_of("WEBP", save_all=True, append_images=[Image.new("RGB", (300, 100), "red")]),
         "image/png"),
    ],
)  # fmt: skip
def test_a_png_jpeg_or_webp_is_a_logo(upload: bytes, content_type: str) -> None:
    logo = read_logo(upload)
    assert logo.content_type == content_type
    with Image.open(io.BytesIO(logo.content)) as stored:
        assert stored.get_format_mimetype() == content_type
        assert stored.size == (logo.width, logo.height)
        assert stored.width <= 480
        assert stored.height <= 160
        assert abs(stored.width / stored.height - 300 / 100) < 0.4


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (b"", "no PNG, JPEG or WebP"), (SVG, "no PNG, JPEG or WebP"),
        (image_of("GIF", "P"), "no PNG, JPEG or WebP"), (b"%PDF-1.7\n%%EOF", "no PNG, JPEG"),
        (image_of("BMP"), "no PNG"), (png_of()[:400], "damaged"), (image_of("JPEG")[:200], "image"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "image"), (enormous_png(), "million pixels"),
        (image_of("PNG", size=(2500, 2000)), "million pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * MAX_BYTES, "larger than 2 MB"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_words(upload: bytes, words: str) -> None:
    with pytest.raises(NotALogo, match=words):
        read_logo(upload)


def test_nothing_but_the_picture_is_kept_of_a_file() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", CANARY.decode())
    exif = Image.Exif()
    exif[0x010E] = CANARY.decode()  # ImageDescription
    exif[0x0112] = 6  # the picture lies on its side
    for upload in (
        png_of(pnginfo=notes),
        png_of() + b"<script>" + CANARY,
        image_of("JPEG", exif=exif),
        image_of("JPEG", comment=CANARY),
        image_of("WEBP", exif=exif.tobytes(), xmp=CANARY),
    ):
        assert CANARY in upload
        assert CANARY not in read_logo(upload).content
    upright = read_logo(image_of("JPEG", exif=exif))
    assert upright.height > upright.width


@pytest.mark.django_db
def test_a_logo_is_served_for_ever_as_nothing_but_an_image() -> None:
    shipment = make_parcel(make_shop(), "booked")
    logo = CompanyLogo.objects.get()
    address = f"/track/logos/{logo.digest}"
    assert f'src="{address}"' in Client().get(f"/track/{shipment.pk}/").content.decode()
    answer = Client().get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer.content == bytes(logo.content)
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert (
        policy == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert not answer.cookies
    other = give_logo(logo.company, image_of("JPEG"))
    assert other.digest != logo.digest
    assert Client().get(address).status_code == 404
    assert Client().post(f"/track/logos/{other.digest}").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(
    "digest", ["0" * 32, "0" * 31, "A" * 32, "../secret", "%00", "\u0661" * 32]
)
def test_what_is_no_logo_is_a_404(digest: str) -> None:
    assert Client().get(f"/track/logos/{digest}").status_code == 404
