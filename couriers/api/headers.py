"""Headers that tell a client where and when to ask again."""

from __future__ import annotations

from django.http import HttpResponse

IN_DOUBT = 30  # seconds: the courier's callback or an operator settles a booking in doubt
ACTION = 60  # seconds: the courier carries an action out later, and is asked about it
WORK = 5  # seconds: workers book the orders of a job, and make the documents of a manifest


def ask_later(response: HttpResponse, seconds: int) -> None:
    """Set Retry-After on an answer 202, whose work is not done yet. Leaves every other answer."""
    if response.status_code == 202:
        response["Retry-After"] = str(seconds)
