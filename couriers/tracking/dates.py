"""Days and times of India on the public tracking pages, in the reader's language.

Django's Hindi names of days and months are misspelled in part, and its Hindi has one word for a.m.
and p.m. The texts are made where they are shown, in the language that is active there.
"""

from __future__ import annotations

import datetime as dt

from django.utils.functional import lazy
from django.utils.translation import pgettext, pgettext_lazy

from couriers.contract.india import IST

WEEKDAYS = (
    pgettext_lazy("parcel", "Monday"),
    pgettext_lazy("parcel", "Tuesday"),
    pgettext_lazy("parcel", "Wednesday"),
    pgettext_lazy("parcel", "Thursday"),
    pgettext_lazy("parcel", "Friday"),
    pgettext_lazy("parcel", "Saturday"),
    pgettext_lazy("parcel", "Sunday"),
)
MONTHS = (
    pgettext_lazy("parcel", "January"),
    pgettext_lazy("parcel", "February"),
    pgettext_lazy("parcel", "March"),
    pgettext_lazy("parcel", "April"),
    pgettext_lazy("parcel", "May"),
    pgettext_lazy("parcel", "June"),
    pgettext_lazy("parcel", "July"),
    pgettext_lazy("parcel", "August"),
    pgettext_lazy("parcel", "September"),
    pgettext_lazy("parcel", "October"),
    pgettext_lazy("parcel", "November"),
    pgettext_lazy("parcel", "December"),
)


def local_day(at: dt.datetime) -> dt.date:
    """Return the day in India on which the moment is."""
    return at.astimezone(IST).date()


def _day(day: dt.date) -> str:
    return pgettext("parcel", "%(weekday)s, %(day)d %(month)s %(year)d") % {
        "weekday": WEEKDAYS[day.weekday()],
        "day": day.day,
        "month": MONTHS[day.month - 1],
        "year": day.year,
    }


def _time(at: dt.datetime) -> str:
    """The time of day in India. Hindi names the part of the day: `दोपहर 2:30 बजे`."""
    local = at.astimezone(IST)
    if local.hour < 4:
        form = pgettext("parcel at night", "%(clock)s am")
    elif local.hour < 12:
        form = pgettext("parcel in the morning", "%(clock)s am")
    elif local.hour < 16:
        form = pgettext("parcel in the afternoon", "%(clock)s pm")
    elif local.hour < 20:
        form = pgettext("parcel in the evening", "%(clock)s pm")
    else:
        form = pgettext("parcel at night", "%(clock)s pm")
    return form % {"clock": f"{local.hour % 12 or 12}:{local.minute:02d}"}


# Each takes a date or a moment, and returns its text when it is shown.
day_text = lazy(_day, str)
time_text = lazy(_time, str)
