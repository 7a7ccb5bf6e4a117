"""How answers are written: JSON whose times are all UTC, and a label's own bytes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from couriers.booking.answers import time_text


class _Encoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return time_text(obj) if isinstance(obj, dt.datetime) else super().default(obj)


class ApiRenderer(JSONRenderer):
    """JSON. With DATETIME_FORMAT None serializers leave times to it, so there is one way."""

    encoder_class = _Encoder


class PdfRenderer(BaseRenderer):
    """Lets a client accept a PDF alone; the view answers with the file itself."""

    media_type = "application/pdf"
    format = "pdf"
