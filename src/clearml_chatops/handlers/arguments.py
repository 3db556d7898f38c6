"""The kinds of arguments that commands take, one converter each. Their errors say what to do instead.

A handler annotates its arguments: `lines: LineCount = 20`. The converter in the annotation turns the
text into the value and tells the terminal what to complete.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Protocol

from clearml_chatops.handlers.gpu_spellings import GPU_NUMBERS, list_gpus
from clearml_chatops.models.errors import InvalidValueError
from clearml_chatops.models.experiments import SHOWN_STATUSES, Status
from clearml_chatops.models.gpu_requests import GpuRequestAnswer
from clearml_chatops.models.notifications import EVENT_KINDS_BY_STATUS, EventKind
from clearml_chatops.models.workers import RunningPolicy


class Converter(Protocol):
    """Converts the text of one argument into its value.

    `completion` is what the terminal completes: "experiment", "queue", "parameter", "status", "position",
    "worker", "command", or "" for nothing.
    """

    completion: str

    def convert(self, text: str, *, name: str) -> object:
        """Return the value. Raises InvalidValueError."""
        ...


@dataclass(frozen=True, slots=True)
class PlainText:
    completion: str = ""

    def convert(self, text: str, *, name: str) -> str:  # noqa: ARG002  # the interface of all converters
        return text


@dataclass(frozen=True, slots=True)
class WholeNumber:
    lowest: int
    highest: int
    completion: str = ""

    def convert(self, text: str, *, name: str) -> int:
        if re.fullmatch(r"\d{1,9}", text) and self.lowest <= int(text) <= self.highest:
            return int(text)
        raise InvalidValueError(
            value=text,
            expected="a valid number",
            name=name,
            advice=f"give one from {self.lowest} to {self.highest}.",
        )


@dataclass(frozen=True, slots=True)
class NumberOrAll:
    """A number counted from 1, or `all`, which becomes None."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> int | None:
        normalized = text.strip().lower()
        if normalized == "all":
            return None
        if re.fullmatch(r"[1-9]\d{0,8}", normalized):
            return int(normalized)
        raise InvalidValueError(
            value=text, expected="a number", name=name, advice="use a number from the list, or all."
        )


@dataclass(frozen=True, slots=True)
class Duration:
    completion: str = ""

    def convert(self, text: str, *, name: str) -> timedelta:
        match = re.fullmatch(r"(\d{1,6})\s*(s|m|h|d)?", text.strip().lower())
        if match and int(match[1]):
            return int(match[1]) * _DURATION_UNITS[match[2] or "s"]
        raise InvalidValueError(
            value=text, expected="a duration", name=name, advice="write it like 30s, 5m, 2h or 1d."
        )


@dataclass(frozen=True, slots=True)
class MemorySize:
    """An amount of memory, converted to bytes. G, GB and GiB all mean 2³⁰ bytes, as GPU memory is counted."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> int:
        match = re.fullmatch(r"(\d{1,6})\s*([mgt])(i?b)?", text.strip().lower())
        if match and int(match[1]):
            return int(match[1]) << {"m": 20, "g": 30, "t": 40}[match[2]]
        raise InvalidValueError(
            value=text, expected="an amount of memory", name=name, advice="write it like 20G or 500M."
        )


@dataclass(frozen=True, slots=True)
class StatusWord:
    completion: str = "status"

    def convert(self, text: str, *, name: str) -> Status:
        if status := Status.from_text(text):
            return status
        words = ", ".join(status.label for status in SHOWN_STATUSES)
        raise InvalidValueError(value=text, expected="a status", name=name, advice=f"use one of {words}.")


@dataclass(frozen=True, slots=True)
class GpuList:
    """`0,1`, `0-3`, UUIDs, MIG instances like `0:1`, `all` or `none`. Whether they exist isn't checked here."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> str:
        normalized = text.strip()
        if normalized.casefold() in {"all", "none"}:
            return normalized.casefold()
        gpus = [gpu for word in normalized.split(",") for gpu in list_gpus(word.strip())]
        if not all(re.fullmatch(r"\d{1,3}(:\d{1,3})?|(GPU|MIG)-[0-9A-Fa-f][\w/-]*", gpu) for gpu in gpus):
            raise InvalidValueError(
                value=text,
                expected="a list of GPUs",
                name=name,
                advice="write it like 0,1 or all or none, or as UUIDs like GPU-….",
            )
        if len({gpu.casefold() for gpu in gpus}) < len(gpus):
            raise InvalidValueError(
                value=text,
                expected="a list of different GPUs",
                name=name,
                advice="name each GPU once, like 0,1.",
            )
        return ",".join(gpus)


@dataclass(frozen=True, slots=True)
class NameList:
    """Names separated by commas, in the given order."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> tuple[str, ...]:
        names = [part.strip() for part in text.split(",")]
        if not all(names) or len({part.casefold() for part in names}) < len(names):
            raise InvalidValueError(
                value=text,
                expected="a list of different names",
                name=name,
                advice="name each once, like first,second.",
            )
        return tuple(names)


@dataclass(frozen=True, slots=True)
class StatusList:
    """The kinds of events to notify about, written as the statuses that an experiment then has."""

    completion: str = "status"

    def convert(self, text: str, *, name: str) -> frozenset[EventKind]:
        words = {word.strip().casefold() for word in text.split(",")}
        if words <= EVENT_KINDS_BY_STATUS.keys():
            return frozenset(EVENT_KINDS_BY_STATUS[word] for word in words)
        raise InvalidValueError(
            value=text,
            expected="a list of statuses",
            name=name,
            advice=f"use some of {','.join(EVENT_KINDS_BY_STATUS)}, separated by commas.",
        )


@dataclass(frozen=True, slots=True)
class Switch:
    """`on` or `off`."""

    completion: str = ""

    def convert(self, text: str, *, name: str) -> bool:
        normalized = text.strip().casefold()
        if normalized in {"on", "off"}:
            return normalized == "on"
        raise InvalidValueError(value=text, expected="a valid setting", name=name, advice="use on or off.")


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a queue: `front`, `back` or a number counted from 1, converted to 1, -1 or that number."""

    completion: str = "position"

    def convert(self, text: str, *, name: str) -> int:
        normalized = text.strip().lower()
        if normalized in {"front", "back"}:
            return 1 if normalized == "front" else -1
        if re.fullmatch(r"[1-9]\d{0,5}", normalized):
            return int(normalized)
        raise InvalidValueError(
            value=text, expected="a position in a queue", name=name, advice="use front, back or a number from 1."
        )


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the values of `choices`. `expected` says in an error what kind of word was expected."""

    choices: type[StrEnum]
    expected: str
    completion: str = ""

    def convert(self, text: str, *, name: str) -> StrEnum:
        try:
            return self.choices(text.strip().lower())
        except ValueError:
            *words, last = list(self.choices)
            advice = f"use {', '.join(words)} or {last}."
            raise InvalidValueError(value=text, expected=self.expected, name=name, advice=advice) from None


@dataclass(frozen=True, slots=True)
class RestOfLine(PlainText):
    """All remaining words, joined by spaces."""


@dataclass(frozen=True, slots=True)
class SeveralWords(PlainText):
    """All remaining words, as a tuple."""


@dataclass(frozen=True, slots=True)
class Assignments(PlainText):
    """All words of the form `section.name=value`, as pairs of name and value."""

    completion: str = "parameter"


@dataclass(frozen=True, slots=True)
class RepeatedText(PlainText):
    """An option that can be given several times: the values are joined by commas."""


@dataclass(frozen=True, slots=True)
class BareWord:
    """Marks a flag that can be typed without dashes, as in `/enqueue front`.

    On an option, `value` is a pattern: what matches it needs no name, as in `/worker start 0,1`.
    """

    value: str = ""


@dataclass(frozen=True, slots=True)
class ButtonOnly:
    """Marks an option that only buttons give."""


_DURATION_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

ExperimentReference = Annotated[str, PlainText(completion="experiment")]
QueueName = Annotated[str, PlainText(completion="queue")]
SingleWord = Annotated[str, PlainText()]
LineCount = Annotated[int, WholeNumber(1, 10_000)]
BareLineCount = Annotated[int, WholeNumber(1, 10_000), BareWord(r"\d+")]
Timeout = Annotated[timedelta, Duration()]
Memory = Annotated[int, MemorySize()]
StatusName = Annotated[Status, StatusWord()]
Gpus = Annotated[str, GpuList(), BareWord(GPU_NUMBERS)]
GpusOrNone = Annotated[str, GpuList(), BareWord(rf"all|none|{GPU_NUMBERS}")]
QueueNames = Annotated[tuple[str, ...], NameList(completion="queue"), BareWord(r"[^=]+")]
RunningPolicyName = Annotated[RunningPolicy, OneOf(RunningPolicy, "a valid choice")]
GpuRequestAnswerName = Annotated[GpuRequestAnswer, OneOf(GpuRequestAnswer, "a valid answer")]
WorkerReference = Annotated[str, PlainText(completion="worker")]
NumberInList = Annotated[int | None, NumberOrAll()]
Statuses = Annotated[frozenset[EventKind], StatusList()]
OnOrOff = Annotated[bool, Switch()]
PositionInQueue = Annotated[int, Position()]
FreeText = Annotated[str, RestOfLine()]
CommandName = Annotated[str, RestOfLine(completion="command")]
FreeExperimentText = Annotated[str, RestOfLine(completion="experiment")]
Words = Annotated[tuple[str, ...], SeveralWords()]
Texts = Annotated[str, RepeatedText()]
StatusTexts = Annotated[str, RepeatedText(completion="status")]
ExperimentWords = Annotated[tuple[str, ...], SeveralWords(completion="experiment")]
ParameterWords = Annotated[tuple[str, ...], SeveralWords(completion="parameter")]
ParameterValues = Annotated[tuple[tuple[str, str], ...], Assignments()]
Flag = bool
WordFlag = Annotated[bool, BareWord()]
