"""Whatever time or day a query or a body has, the answer is a page or a problem, never a 500."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.api import post_json

LIST = "/api/v1/shipments/"
SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

days = st.dates().map(dt.date.isoformat)
times = st.times().map(dt.time.isoformat) | st.sampled_from(["24:00", "24:00:00", "23:59:60", "7"])
offsets = st.sampled_from(["", "Z", " "]) | st.builds(
    "{}{:02}{}{:02}".format,
    st.sampled_from("+-"),
    st.integers(0, 25),
    st.sampled_from(["", ":"]),
    st.integers(0, 60),
)
iso_times = st.builds("{}{}{}{}".format, days, st.sampled_from("T t"), times, offsets)


def ask(storefront: Client, text: str) -> Any:
    storefront.raise_request_exception = False
    return storefront.get(f"{LIST}?created_after={quote(text)}")


@SETTINGS
@given(iso_times | days | st.text(max_size=30))
@example("2026-11-25T10:30:00+16:00")
@example("0001-01-01T00:00:00+14:00")
@example("9999-12-31T23:59:59-14:00")
@example("2026-11-25T10:30:00+24:00")
@example("2026-11-25T24:00:00Z")
def test_a_time_filters_or_is_refused_by_name(storefront: Client, shipment: Any, text: str) -> None:
    answer = ask(storefront, text)
    if answer.status_code == 200:
        found = [row["id"] for row in answer.json()["results"]]
        moment = dt.datetime.fromisoformat(text.strip().replace("t", "T"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        assert found == ([shipment.pk] if shipment.created_at >= moment else [])
    else:
        assert answer.status_code == 400, answer.content
        assert [problem["field"] for problem in answer.json()["errors"]] == ["created_after"]


@pytest.mark.parametrize("offset", ["+16:00", "-16:00", "+23:59", "-23:59", "+24:00", "-99:00"])
def test_an_offset_that_postgresql_does_not_read_is_refused(
    storefront: Client, shipment: Any, offset: str
) -> None:
    answer = ask(storefront, f"2020-01-01T00:00:00{offset}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "created_after"


@pytest.mark.parametrize("offset", ["+05:30", "+14:00", "-12:00", "+15:59", "-15:59"])
def test_an_offset_is_understood(storefront: Client, shipment: Any, offset: str) -> None:
    assert len(ask(storefront, f"2020-01-01T00:00:00{offset}").json()["results"]) == 1
    assert ask(storefront, f"2090-01-01T00:00:00{offset}").json()["results"] == []


@SETTINGS
@given(days | st.text(max_size=12) | iso_times)
@example("0001-01-01")
@example("9999-12-31")
def test_a_day_of_a_manifest_is_taken_or_refused(
    storefront: Client, shipment: Any, text: str
) -> None:
    storefront.raise_request_exception = False
    body = {"courier": "toy", "date": text}
    answer = post_json(storefront, "/api/v1/manifests/", body)
    assert answer.status_code in (400, 409, 422), answer.content
