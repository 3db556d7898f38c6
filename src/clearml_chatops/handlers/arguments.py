"""The kinds of arguments a command can take: one converter each, whose error says what to do instead.

A handler names its arguments by annotation: `lines: LineCount = 20`. What stands behind the
annotation converts the text, names the kind in the help and tells the terminal what to complete.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from clearml_chatops.models.card_questions import Consent
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.notifications import WORDS_FOR_SUBSCRIBERS, EventKind
from clearml_chatops.models.workers import MidRun


class Converter(Protocol):
    """Turns the text of one argument into its value.

    `completes` names what a terminal offers for it: "experiment", "queue", "parameter", "status", "place",
    "worker", "command" or nothing.
    """

    completes: str

    def convert(self, text: str, *, name: str) -> object:
        """The value. Raises InvalidValueError."""
        ...


@dataclass(frozen=True, slots=True)
class PlainText:
    completes: str = ""

    def convert(self, text: str, *, name: str) -> str:  # noqa: ARG002  # the interface of all converters
        return text


@dataclass(frozen=True, slots=True)
class WholeNumber:
    lowest: int
    highest: int
    completes: str = ""

    def convert(self, text: str, *, name: str) -> int:
        if re.fullmatch(r"\d{1,9}", text) and self.lowest <= int(text) <= self.highest:
            return int(text)
        raise InvalidValueError(
            value=text,
            expected="a possible number",
            name=name,
            advice=f"give one from {self.lowest} to {self.highest}.",
        )


@dataclass(frozen=True, slots=True)
class NumberOrAll:
    """A number counted from 1, or `all`, which is given as None."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> int | None:
        wanted = text.strip().lower()
        if wanted == "all":
            return None
        if re.fullmatch(r"[1-9]\d{0,8}", wanted):
            return int(wanted)
        raise InvalidValueError(value=text, expected="a number", name=name, advice="give one of the list, or all.")


@dataclass(frozen=True, slots=True)
class Span:
    completes: str = ""

    def convert(self, text: str, *, name: str) -> timedelta:
        match = re.fullmatch(r"(\d{1,6})\s*(s|m|h|d)?", text.strip().lower())
        if match and int(match[1]):
            return int(match[1]) * _UNITS[match[2] or "s"]
        raise InvalidValueError(
            value=text, expected="a length of time", name=name, advice="write it like 30s, 5m, 2h or 1d."
        )


@dataclass(frozen=True, slots=True)
class MemorySize:
    """An amount of memory, in bytes; a letter alone means what cards are sold by, 2¹⁰ at a time."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> int:
        match = re.fullmatch(r"(\d{1,6})\s*([mgt])(i?b)?", text.strip().lower())
        if match and int(match[1]):
            return int(match[1]) << {"m": 20, "g": 30, "t": 40}[match[2]]
        raise InvalidValueError(
            value=text, expected="an amount of memory", name=name, advice="write it like 20G or 500M."
        )


@dataclass(frozen=True, slots=True)
class StatusWord:
    completes: str = "status"

    def convert(self, text: str, *, name: str) -> Status:
        if status := Status.from_word(text):
            return status
        words = ", ".join(status.word for status in SHOWN_STATUSES)
        raise InvalidValueError(value=text, expected="a status", name=name, advice=f"use one of {words}.")


@dataclass(frozen=True, slots=True)
class GpuList:
    """`0,1`, UUIDs, parts of split cards as `0:1`, `all` or `none`. Whether there are such is told elsewhere."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> str:
        wanted = text.strip()
        if wanted.casefold() in {"all", "none"}:
            return wanted.casefold()
        words = [word.strip() for word in wanted.split(",")]
        cards = [str(int(word)) if re.fullmatch(r"\d{1,3}", word) else word for word in words]
        if not all(re.fullmatch(r"\d{1,3}(:\d{1,3})?|(GPU|MIG)-[0-9A-Fa-f][\w/-]*", card) for card in cards):
            raise InvalidValueError(
                value=text,
                expected="a list of cards",
                name=name,
                advice="write it like 0,1 or all or none, or as UUIDs like GPU-….",
            )
        if len({card.casefold() for card in cards}) < len(cards):
            raise InvalidValueError(
                value=text,
                expected="a list of different cards",
                name=name,
                advice="name each card once, like 0,1.",
            )
        return ",".join(cards)


@dataclass(frozen=True, slots=True)
class NameList:
    """Names with commas between them, in the order given."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> tuple[str, ...]:
        names = [part.strip() for part in text.split(",")]
        if not all(names) or len({part.casefold() for part in names}) < len(names):
            raise InvalidValueError(
                value=text, expected="a list of names", name=name, advice="name each once, like first,second."
            )
        return tuple(names)


@dataclass(frozen=True, slots=True)
class ToldStatuses:
    """What subscribers are told of, by the statuses that an experiment then has."""

    completes: str = "status"

    def convert(self, text: str, *, name: str) -> frozenset[EventKind]:
        words = {word.strip().casefold() for word in text.split(",")}
        if words <= WORDS_FOR_SUBSCRIBERS.keys():
            return frozenset(WORDS_FOR_SUBSCRIBERS[word] for word in words)
        raise InvalidValueError(
            value=text,
            expected="a list of statuses",
            name=name,
            advice=f"name some of {','.join(WORDS_FOR_SUBSCRIBERS)} with commas between them.",
        )


@dataclass(frozen=True, slots=True)
class Switch:
    """`on` or `off`."""

    completes: str = ""

    def convert(self, text: str, *, name: str) -> bool:
        wanted = text.strip().casefold()
        if wanted in {"on", "off"}:
            return wanted == "on"
        raise InvalidValueError(value=text, expected="a switch", name=name, advice="use on or off.")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a queue: `front`, `back` or a number counted from 1; given as 1, -1 or that number."""

    completes: str = "place"

    def convert(self, text: str, *, name: str) -> int:
        wanted = text.strip().lower()
        if wanted in {"front", "back"}:
            return 1 if wanted == "front" else -1
        if re.fullmatch(r"[1-9]\d{0,5}", wanted):
            return int(wanted)
        raise InvalidValueError(
            value=text, expected="a place in a queue", name=name, advice="use front, back or a number from 1."
        )


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words that mean what `kind` lists; `expected` is what they are all about."""

    kind: type[StrEnum]
    expected: str
    completes: str = ""

    def convert(self, text: str, *, name: str) -> StrEnum:
        try:
            return self.kind(text.strip().lower())
        except ValueError:
            *words, last = list(self.kind)
            advice = f"use {', '.join(words)} or {last}."
            raise InvalidValueError(value=text, expected=self.expected, name=name, advice=advice) from None


@dataclass(frozen=True, slots=True)
class RestOfLine(PlainText):
    """All the words that are left, with one space between them."""


@dataclass(frozen=True, slots=True)
class SeveralWords(PlainText):
    """All the words that are left, one by one."""


@dataclass(frozen=True, slots=True)
class Assignments(PlainText):
    """All words of the form `section.name=value`, as pairs."""

    completes: str = "parameter"


@dataclass(frozen=True, slots=True)
class BareWord:
    """Marks a flag that may be typed without dashes, as `/enqueue front`."""


_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

SHOWN_STATUSES = (
    Status.DRAFT,
    Status.PENDING,
    Status.RUNNING,
    Status.COMPLETED,
    Status.FAILED,
    Status.ABORTED,
    Status.PUBLISHED,
)

ExperimentReference = Annotated[str, PlainText(completes="experiment")]
QueueName = Annotated[str, PlainText(completes="queue")]
PlainWord = Annotated[str, PlainText()]
LineCount = Annotated[int, WholeNumber(1, 10_000)]
Timeout = Annotated[timedelta, Span()]
Memory = Annotated[int, MemorySize()]
StatusName = Annotated[Status, StatusWord()]
Gpus = Annotated[str, GpuList()]
QueueNames = Annotated[tuple[str, ...], NameList(completes="queue")]
FateOfARun = Annotated[MidRun, OneOf(MidRun, "a way to treat a run")]
ConsentWord = Annotated[Consent, OneOf(Consent, "an answer")]
WorkerReference = Annotated[str, PlainText(completes="worker")]
NumberInList = Annotated[int | None, NumberOrAll()]
Statuses = Annotated[frozenset[EventKind], ToldStatuses()]
OnOrOff = Annotated[bool, Switch()]
QueuePlace = Annotated[int, Place()]
FreeText = Annotated[str, RestOfLine()]
CommandName = Annotated[str, RestOfLine(completes="command")]
FreeExperimentText = Annotated[str, RestOfLine(completes="experiment")]
Words = Annotated[tuple[str, ...], SeveralWords()]
ExperimentWords = Annotated[tuple[str, ...], SeveralWords(completes="experiment")]
ParameterWords = Annotated[tuple[str, ...], SeveralWords(completes="parameter")]
ParameterValues = Annotated[tuple[tuple[str, str], ...], Assignments()]
Flag = bool
WordFlag = Annotated[bool, BareWord()]
