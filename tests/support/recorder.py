"""Records real exchanges with the API as the examples of its documentation.

What differs from run to run (ids, times, numbers of the courier) is replaced by what stays, so that
a new recording differs from the last one where the API does.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.test import Client

from couriers.contract import india
from tests.support.answers import operation_at

FIRST_DAY = dt.date(2026, 11, 25)
FIRST_TIME = dt.datetime(2026, 11, 25, 4, 30, tzinfo=dt.UTC)
SITE = "https://ship.example"
COURIER = "https://courier.example"
MAX_SHOWN = 16  # characters of a key
CLIENT = "198.51.100.7"
REQUEST_ID = "example-4417"
HEADERS = (
    "Location",
    "Retry-After",
    "Idempotent-Replayed",
    "WWW-Authenticate",
    "Content-Type",
    "ETag",
)
# Headers of requests that are shown: credentials are explained once, and are none of an example.
SENT = ("Idempotency-Key", "If-None-Match", "If-Match", "Accept")
NUMBERED = ("tracking_id", "waybill", "courier_order_id", "handle")
_ID = re.compile(r"\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b")
_KEY = re.compile(r"\b(key|sk_test|sk_live)_([A-Za-z0-9]{4,})")
_NAMED_KEY = re.compile(r"API key [A-Za-z0-9]+…")
_SECRET = re.compile(r"\bwhsec_[A-Za-z0-9+/=]+")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b(?!T)")
_SHORTLY = dt.timedelta(minutes=2)


class Recorder:
    """Sends requests and keeps them with their answers. `sandbox_url` is written as COURIER."""

    def __init__(self, sandbox_url: str) -> None:
        self._places = {"http://127.0.0.1:8000": SITE, sandbox_url: COURIER}
        self._exchanges: list[dict[str, Any]] = []

    def rename(self, url: str, name: str) -> None:
        """Write a URL of this run as another one."""
        self._places[url] = name

    def send(
        self,
        title: str,
        client: Client,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: str | bytes | None = None,
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """Send a request to a path below /api/v1/ and keep the exchange; return the answer.

        `raw` is a body that is no JSON. Underscores in the names of headers stand for hyphens.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = raw if raw is not None else ("" if body is None else json.dumps(body))
        answer = client.generic(
            method, f"/api/v1/{path}", data, content_type if data else "",
            headers={"X-Request-ID": REQUEST_ID, **sent},
        )  # fmt: skip
        self._keep(title, method, path, body if raw is None else None, sent, answer)
        return answer

    def _keep(
        self, title: str, method: str, path: str, body: Any, sent: Mapping[str, str], answer: Any
    ) -> None:
        is_json = answer.get("Content-Type", "").partition(";")[0].endswith("json")
        request: dict[str, Any] = {"method": method, "path": f"/api/v1/{path}"}
        if shown := {name: value for name, value in sent.items() if name in SENT}:
            request["headers"] = shown
        if body is not None:
            request["body"] = body
        response: dict[str, Any] = {
            "status": answer.status_code,
            "headers": {name: answer[name] for name in HEADERS if name in answer},
        }
        if is_json:
            response["body"] = json.loads(answer.content)
        self._exchanges.append(
            {
                "operation": operation_at(method, f"/api/v1/{path}".partition("?")[0]),
                "title": title, "request": request, "response": response,
            }
        )  # fmt: skip

    def exchanges(self) -> list[dict[str, Any]]:
        """What was recorded, with stable values."""
        stable: list[dict[str, Any]] = _Stable(self._exchanges, self._places).values()
        return stable


class _Stable:
    """Replaces what differs from run to run, everywhere alike."""

    def __init__(self, exchanges: list[dict[str, Any]], places: Mapping[str, str]) -> None:
        self._exchanges, self._places = exchanges, places
        text = json.dumps(exchanges)
        self._keys: dict[str, int] = {}
        self._ids = _numbered(_ID, text)
        self._numbers = {
            value: re.sub(r"\d+", lambda found, n=number: f"{n:0{len(found[0])}d}", value, count=1)
            for number, value in enumerate(_values_of(exchanges, NUMBERED), start=4001)
        }
        self._times = _spread(sorted({_read(found) for found in _TIME.findall(text)}))
        self._shift = FIRST_DAY - india.today()

    def values(self) -> Any:
        return self._of(self._exchanges)

    def _of(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._of(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._of(part) for part in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for place, name in self._places.items():
            text = text.replace(place, name)
        for number in sorted(self._numbers, key=len, reverse=True):
            text = text.replace(number, self._numbers[number])
        text = _SECRET.sub("whsec_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAM", text)
        text = _NAMED_KEY.sub("API key example1…", text.replace("127.0.0.1", CLIENT))
        text = _KEY.sub(lambda found: self._key(found[1], found[2]), text)
        text = _ID.sub(lambda found: self._ids[found[0]], text)
        text = _TIME.sub(lambda found: self._times[_read(found[0])], text)
        return _DAY.sub(lambda found: self._day(found[0]), text)

    def _key(self, kind: str, random: str) -> str:
        # What a list shows of a key is its beginning.
        number = self._keys.setdefault(random[:8], len(self._keys) + 1)
        # A whole key is cut: one that looks like a key would be taken for one.
        name = f"example{number}"
        return f"{kind}_{name}…" if len(random) > MAX_SHOWN else f"{kind}_{name[: len(random)]}"

    def _day(self, text: str) -> str:
        day = dt.date.fromisoformat(text)
        near = abs(day - india.today()) < dt.timedelta(days=60)
        return (day + self._shift).isoformat() if near else text


def _numbered(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    """New ids in the order in which they appear, as long as the others."""
    found: dict[str, str] = {}
    for match in pattern.finditer(text):
        found.setdefault(match[0], f"{match[1]}_01kawt9h0b{len(found) + 1:016d}")
    return found


def _values_of(value: Any, names: tuple[str, ...]) -> list[str]:
    """The texts with digits that members of these names have, in the order of the exchanges."""
    found: dict[str, None] = {}
    for name, text in _members(value):
        if name in names and re.search(r"\d{3}", text):
            found.setdefault(text)
    return list(found)


def _members(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for part in value:
            yield from _members(part)
    if isinstance(value, dict):
        for name, part in value.items():
            if isinstance(part, str):
                yield name, part
            yield from _members(part)


def _read(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _spread(times: list[dt.datetime]) -> dict[dt.datetime, str]:
    """New times in the same order: a second after the last one, or as many minutes as it was."""
    found: dict[dt.datetime, str] = {}
    at, last = FIRST_TIME, None
    for time in times:
        if last is not None:
            gap = time - last
            at += dt.timedelta(seconds=1) if gap < _SHORTLY else round(gap / _MINUTE) * _MINUTE
        last = time
        found[time] = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return found


_MINUTE = dt.timedelta(minutes=1)


def write(recorded: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    """Write the exchanges of each file to the folder, in the place of those that are there."""
    for old in folder.glob("*/*.json"):
        old.unlink()
    for place, of_place in recorded.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(of_place, indent=1, ensure_ascii=False) + "\n")


def by_file(exchanges: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The exchanges by the file that they belong to: of the problem, or of the operation."""
    found: dict[str, list[dict[str, Any]]] = {}
    for exchange in exchanges:
        place = f"operations/{exchange['operation']}"
        if exchange["response"]["status"] >= 400:
            place = f"problems/{exchange['response']['body']['type'].rpartition('/')[2]}"
        found.setdefault(f"{place}.json", []).append(exchange)
    return found


def shape(value: Any) -> Any:
    """The members of a value without what they hold. Parts of a list are taken together."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in sorted(value.items())}
    if isinstance(value, list):
        merged: dict[str, Any] = {}
        for part in map(shape, value):
            if isinstance(part, dict):
                merged |= part
        return [merged]
    return None
