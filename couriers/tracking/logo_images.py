"""Uploaded logos, written anew as small images. What was uploaded is stored nowhere.

The image is decoded and encoded again, so that nothing else of the file is served: no place where a
photograph was taken, no script behind the image, nothing that a browser reads in another way.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from couriers.models.company_logo import LogoType

MAX_BYTES = 2 * 1024 * 1024  # of an upload
MAX_PIXELS = 4_000_000  # of an upload, decoded: 16 MB
# Of what is served, in pixels: twice what a page shows, for sharp screens.
MAX_WIDTH, MAX_HEIGHT = 480, 160
TOO_MANY_PIXELS = f"The image has more than {MAX_PIXELS // 10**6} million pixels."
READ_FORMATS = ("PNG", "JPEG", "WEBP")


class NotALogo(ValueError):
    """The upload cannot be a logo. The message says why, for the person who uploaded it."""


@dataclass(frozen=True, slots=True)
class LogoImage:
    """A logo as it is stored. Width and height are in pixels."""

    content: bytes
    content_type: LogoType
    width: int
    height: int

    @property
    def digest(self) -> str:
        """Return 128 bits of the content's SHA-256 in hexadecimal, which name it in its URL."""
        return hashlib.sha256(self.content).hexdigest()[:32]


def read_logo(upload: bytes) -> LogoImage:
    """Return the upload as a logo of at most MAX_WIDTH by MAX_HEIGHT pixels.

    A PNG or WebP becomes a PNG, a JPEG stays one; of an animation the first picture is taken.
    Raises NotALogo.
    """
    if len(upload) > MAX_BYTES:
        raise NotALogo(f"The file is larger than {MAX_BYTES // 1024**2} MB.")
    try:
        with Image.open(io.BytesIO(upload), formats=READ_FORMATS) as image:
            # Nothing is decoded yet: a small file may say that it is enormous.
            if image.width * image.height > MAX_PIXELS:
                raise NotALogo(TOO_MANY_PIXELS)
            is_jpeg = image.format == "JPEG"
            image.load()
            upright = ImageOps.exif_transpose(image)
            shown = upright.convert("RGB" if is_jpeg else "RGBA")
    except NotALogo:
        raise
    except UnidentifiedImageError:
        raise NotALogo("The file is no PNG, JPEG or WebP image.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotALogo(TOO_MANY_PIXELS) from None
    # Pillow's decoders raise many kinds for a file that is cut or forged.
    except (OSError, ValueError, SyntaxError, IndexError):
        raise NotALogo("The image is damaged: it cannot be decoded.") from None
    return _encoded(shown, LogoType.JPEG if is_jpeg else LogoType.PNG)


def _encoded(shown: Image.Image, content_type: LogoType) -> LogoImage:
    shown.thumbnail((MAX_WIDTH, MAX_HEIGHT), Image.Resampling.LANCZOS)
    # A new image has no text, no profile and no other part of the uploaded one.
    fresh = Image.new(shown.mode, shown.size)
    fresh.paste(shown)
    written = io.BytesIO()
    if content_type is LogoType.JPEG:
        fresh.save(written, "JPEG", quality=88, optimize=True)
    else:
        fresh.save(written, "PNG", optimize=True)
    return LogoImage(written.getvalue(), content_type, fresh.width, fresh.height)
