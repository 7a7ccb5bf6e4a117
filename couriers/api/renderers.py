"""Response formats of the API: JSON with all times in UTC, and the files of documents."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from couriers.booking.answers import time_text


class _UtcEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return time_text(obj) if isinstance(obj, dt.datetime) else super().default(obj)


class ApiRenderer(JSONRenderer):
    """JSON with times as ISO 8601 in UTC, to the millisecond.

    The fields of serializers leave the times to this renderer (couriers.api.fields).
    """

    encoder_class = _UtcEncoder
    compact = True
    ensure_ascii = False
    strict = True


class PdfRenderer(BaseRenderer):
    """Accepts requests for `application/pdf`. The view sends the file itself."""

    media_type = "application/pdf"
    format = "pdf"


class JpegRenderer(BaseRenderer):
    """Accepts requests for `image/jpeg`, as PdfRenderer does."""

    media_type = "image/jpeg"
    format = "jpg"


class PngRenderer(BaseRenderer):
    """Accepts requests for `image/png`, as PdfRenderer does."""

    media_type = "image/png"
    format = "png"


class CsvRenderer(BaseRenderer):
    """Accepts requests for `text/csv`. The view sends the text itself."""

    media_type = "text/csv"
    format = "csv"
    content_type = "text/csv; charset=utf-8"
