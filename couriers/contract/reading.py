"""Reads couriers' answers and callbacks tolerantly, as models with types of fields. Pure.

Couriers' answers break their own documents. So unknown fields are ignored, null counts as missing,
numbers may be texts and texts numbers. A plug-in declares an answer as a subclass of Answer, and
gives a default to each field that may be missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticUseDefault

from couriers.contract.documents import DocumentLink
from couriers.contract.errors import CourierError, NotFound, Rejected, Unknown
from couriers.contract.india import IST
from couriers.contract.masking import MASK
from couriers.contract.money import to_paisa
from couriers.contract.receiver import MalformedEvent
from couriers.contract.text import is_storable, make_storable
from couriers.contract.words import clean_message, says

# Words that stand for a yes or a no in a `status` or `success`.
_WORDS = {"success": True, "ok": True, "failure": False, "fail": False, "failed": False,
          "error": False}  # fmt: skip
# A time outside of these years is a mistake: seconds, taken for milliseconds, are in 1970.
_FIRST_YEAR, _LAST_YEAR = 2000, 2099


def _as_text(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Python refuses to convert an integer of thousands of digits to text.
        return str(value) if isinstance(value, float) or value.bit_length() < 4096 else ""
    return value


def _as_remark(value: Any) -> Any:
    """Join a list of texts: some couriers send a remark as a list."""
    if isinstance(value, list):
        return "; ".join(text for text in map(_as_text, value) if isinstance(text, str) and text)
    return _as_text(value)


def _as_flag(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    word = value.strip().casefold()
    return _WORDS.get(word, word)


def _require_identifier(text: str) -> str:
    if not is_storable(text):
        raise ValueError("contains characters that cannot be stored")
    if MASK in text:
        raise ValueError("repeats a private value that was sent, and is no id")
    return text


def _or_default(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        raise PydanticUseDefault from None


def _whole_grams(value: Any) -> int | None:
    try:
        grams = _DECIMAL.validate_python(value)
    except ValidationError:
        return None
    return round(grams) if 0 < grams < 10**6 else None


def _in_range(time: dt.datetime) -> dt.datetime:
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise ValueError(f"is not in the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return time


def _utc_from_milliseconds(value: Any) -> dt.datetime:
    seconds, rest = divmod(_INTEGER.validate_python(value), 1000)
    try:
        time = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError):
        raise ValueError("is not a time in milliseconds") from None
    return _in_range(time.replace(microsecond=rest * 1000))


def _utc_from_text(value: Any) -> dt.datetime:
    if not isinstance(value, str):
        raise ValueError("is not a text")
    time = dt.datetime.fromisoformat(value.strip())
    if time.tzinfo is None:
        time = time.replace(tzinfo=IST)
    try:
        return _in_range(time.astimezone(dt.UTC))
    except OverflowError:
        raise ValueError("is not a time") from None


def at(first: str, *path: str, default: Any = None) -> Any:
    """Return a field of an Answer that is read at this path, with a default where it is not there.

    A null inside the answer is not missing: such a field is of `OrDefault`, or takes None.
    """
    return Field(default=default, validation_alias=AliasPath(first, *path))


def named(*names: str, default: Any = ...) -> Any:
    """Return a field of an Answer that has one of these names; required without a default."""
    return Field(default=default, validation_alias=AliasChoices(*names))


_INTEGER, _DECIMAL = TypeAdapter(int), TypeAdapter(Decimal)
T = TypeVar("T")
# A field that the answer is useful without: a value that cannot be read counts as missing.
OrDefault = Annotated[T, WrapValidator(_or_default)]
# Text for people: characters that cannot be stored are removed.
Text = Annotated[str, BeforeValidator(_as_text), AfterValidator(make_storable)]
RequiredText = Annotated[Text, Field(min_length=1)]
# Text for people that may come as a list of texts.
Remark = Annotated[str, BeforeValidator(_as_remark), AfterValidator(make_storable)]
# An id or a number of the courier's that is kept in a column: never changed, refused if it does not
# fit. A required one may not be empty.
Identifier = Annotated[
    str, BeforeValidator(_as_text), AfterValidator(_require_identifier), Field(max_length=100)
]
RequiredId = Annotated[Identifier, Field(min_length=1)]
# A yes or no, as true, "True", 1, "Y", "yes", "Success" and their opposites.
Flag = Annotated[bool, BeforeValidator(_as_flag)]
Rupees = Annotated[Decimal, Field(ge=-(10**9), le=10**9)]
_RUPEES: TypeAdapter[Decimal] = TypeAdapter(Rupees)
# A weight in grams, rounded; None for one that cannot be read or is not above 0.
Grams = Annotated[int | None, BeforeValidator(_whole_grams)]
# A time in milliseconds since the epoch, in UTC after reading.
MillisecondsTime = Annotated[dt.datetime, BeforeValidator(_utc_from_milliseconds)]
# A time as ISO 8601 (a blank may stand for the T), in UTC after reading. One without a zone is
# India time.
IndiaTime = Annotated[dt.datetime, BeforeValidator(_utc_from_text)]


class Answer(BaseModel):
    """Base of everything that a courier sends.

    `wrapped_in` is the field of an object around it, where the courier puts it into one.
    """

    wrapped_in: ClassVar[str] = ""

    model_config = ConfigDict(
        extra="ignore", coerce_numbers_to_str=True, populate_by_name=True, frozen=True
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, values: Any) -> Any:
        if cls.wrapped_in and isinstance(values, dict):
            values = values.get(cls.wrapped_in, values)
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value is not None}


def _amount(value: Any) -> Decimal:
    try:
        return _RUPEES.validate_python(value)
    except ValidationError:
        return Decimal(0)


def amounts_in(row: Any, parts: Mapping[str, Sequence[str]]) -> dict[str, Decimal]:
    """Return the parts of a price in rupees, each the sum of these fields of a row.

    What cannot be read counts as 0, and a part of 0 is left out.
    """
    fields = row if isinstance(row, dict) else {}
    sums = {
        part: sum((_amount(fields.get(name)) for name in names), Decimal(0))
        for part, names in parts.items()
    }
    return {part: to_paisa(amount) for part, amount in sums.items() if amount}


class StatusAnswer(Answer):
    """Base of an answer that says in `status` whether the courier did it, and in `remark` why not.

    Where a courier calls them otherwise, a subclass gives the fields an alias.
    """

    status: Flag
    remark: OrDefault[Remark] = ""


A = TypeVar("A", bound=Answer)
S = TypeVar("S", bound=StatusAnswer)
E = TypeVar("E", bound=CourierError)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the answers of one courier. What it cannot read is Unknown: the work may be done."""

    courier: str

    def parse(self, kind: type[A], body: Any, operation: str) -> A:
        """Return an answer as its model. Raises Unknown, naming the fields that cannot be read."""
        try:
            return kind.model_validate(body)
        except ValidationError as error:
            raise self.unreadable(operation, _fields_of(error)) from None

    def parse_list(
        self, kind: type[A], body: Any, operation: str, *, field: str = "", fewest: int = 0
    ) -> list[A]:
        """Return a list of answers as models: the body itself, or what its `field` has.

        Raises Unknown if there is no list of at least `fewest` of them.
        """
        rows = self._rows(body, operation, field, fewest)
        return [self.parse(kind, row, operation) for row in rows]

    def parse_readable(
        self, kind: type[A], body: Any, operation: str, *, field: str = "", fewest: int = 0
    ) -> list[A]:
        """Return a list as `parse_list` does, without what cannot be read in it.

        For shipments that were asked about together: one of them must not hide the others. Raises
        Unknown if something cannot be read, and nothing else can.
        """
        read, unreadable = [], None
        for row in self._rows(body, operation, field, fewest):
            try:
                read.append(self.parse(kind, row, operation))
            except Unknown as error:
                unreadable = error
        if unreadable and not read:
            raise unreadable
        return read

    def _rows(self, body: Any, operation: str, field: str, fewest: int) -> list[Any]:
        rows = body.get(field) if field and isinstance(body, dict) else body
        if not isinstance(rows, list) or len(rows) < fewest:
            raise self.unreadable(operation, field or "body")
        return rows

    def parse_accepted(self, kind: type[S], body: Any, operation: str) -> S:
        """Return an answer whose status is yes. Raises Rejected with its remark where it is no."""
        answer = self.parse(kind, body, operation)
        if not answer.status:
            raise self.rejection(operation, answer.remark)
        return answer

    def unreadable(self, operation: str, fields: str = "body") -> Unknown:
        """Return the error for an answer whose `fields` cannot be read."""
        return self.unknown(operation, f"the answer cannot be read ({fields[:200]})")

    def unknown(self, operation: str, message: str) -> Unknown:
        """Return the error for an answer that does not say whether the work is done."""
        return self.error(Unknown, operation, message)

    def rejection(self, operation: str, words: str, message: str = "refused") -> Rejected:
        """Return the error for an answer that refuses, with the courier's words."""
        return self.error(Rejected, operation, message, words)

    def error(self, kind: type[E], operation: str, message: str, words: str = "") -> E:
        """Return an error of this class, with the courier's words."""
        return kind(
            message,
            courier=self.courier,
            operation=operation,
            courier_message=clean_message(words),
        )

    def link(
        self,
        operation: str,
        urls: Sequence[str],
        filename: str,
        kinds: tuple[str, ...] = ("application/pdf",),
    ) -> DocumentLink:
        """Return a link to the first of the documents. Raises NotFound for none, and for ""."""
        if not urls or not urls[0]:
            raise self.error(NotFound, operation, "there is no document")
        return DocumentLink(urls[0], filename, kinds)


def parse_event(kind: type[A], payload: Any) -> A:
    """Return a callback's body as its model. Raises MalformedEvent, naming the wrong fields."""
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        raise MalformedEvent(f"cannot be read: {_fields_of(error)[:200]}") from None


def words_if_done(refusal: Rejected, *sayings: str) -> str:
    """Return the words of a refusal that say that the work is done already; else raise it.

    `sayings` are parts of such words, in lower case.
    """
    if not says(refusal.courier_message, *sayings):
        raise refusal
    return refusal.courier_message


def _fields_of(error: ValidationError) -> str:
    names = (".".join(map(str, found["loc"])) or "body" for found in error.errors())
    return ", ".join(dict.fromkeys(names))
