"""Diagnoses why a run failed, from the end of its log and ClearML's status reason. Pure.

What programs print for each cause is a table, `failure_patterns`.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from clearml_chatops.models.experiments import ParameterName
from clearml_chatops.services.notifications.failure_patterns import FAILURE_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE,
    LOOK,
    FailureCause,
    FailurePattern,
    NextStep,
    Precision,
    Remedy,
)
from clearml_chatops.services.notifications.log_endings import LogEnding, PythonError, read_log_ending

LOG_LINE_COUNT = 250
"""Lines read from the end of a log: every rank prints a traceback, and the launcher and the agent print more."""

_MAX_EVIDENCE_LINES = 8
_MAX_DETAIL_LENGTH = 160
_REASON_PREFIX = "ClearML's reason: "
_AMOUNT_PATTERN = re.compile(r"\d{1,9}\.\d{0,9}(?= [KMGTP]iB)")
_BYTES_PATTERN = re.compile(r"^(\d{1,15}) bytes$")


@dataclass(frozen=True, slots=True)
class SuggestedChange:
    """A parameter's value with which a clone can run in the same queue, if its id is known."""

    parameter: ParameterName
    value: str
    queue_id: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a run failed: the cause, a summary that says what to do, and the log lines that show it.

    `steps` are what can help, the best first. `detail` is what the log names, such as a path; with `remedy`, the
    experiment can tell more about it.
    """

    cause: FailureCause
    summary: str
    evidence: tuple[str, ...] = ()
    steps: tuple[NextStep, ...] = LOOK
    is_machine_fault: bool = False
    remedy: Remedy | None = None
    detail: str = ""
    suggested_change: SuggestedChange | None = None

    @property
    def can_retry(self) -> bool:
        """Whether the same run may succeed another time."""
        return NextStep.RETRY in self.steps


@dataclass(frozen=True, slots=True)
class _Match:
    """A row of the table that matches at a line."""

    row: FailurePattern
    line: int
    detail: str


def diagnose_log(log: Sequence[str], reason: str = "") -> Diagnosis:
    """Return why a run failed, from the last lines of its log and ClearML's status reason."""
    ending = read_log_ending(log, LOG_LINE_COUNT)
    failure = _find_failure(ending, _find_matches(ending, reason))
    if isinstance(failure, _Match):
        return _build_diagnosis(failure, ending)
    if failure is not None:
        return _diagnose_error(failure, ending)
    detail = f" ClearML says: {_shorten(reason)}." if reason else ""
    return Diagnosis(FailureCause.UNKNOWN, f"No cause found in the log.{detail}", _extract_evidence(ending, -1))


def _find_matches(ending: LogEnding, reason: str) -> list[_Match]:
    """Return for each row that matches its last match, in the order of the table."""
    lines = (*ending.lines, *([_REASON_PREFIX + " ".join(reason.split())] if reason else []))
    text = "\n".join(lines)
    line_starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    matches = []
    for row in FAILURE_PATTERNS:
        found = list(row.regex.finditer(text))
        if found:
            details = [next(filter(None, match.groups()), "") for match in found]
            # What a program says twice it often says once with the detail.
            detail = next(filter(None, reversed(details)), "")
            matches.append(_Match(row, bisect_right(line_starts, found[-1].start()) - 1, detail))
    return matches


def _find_failure(ending: LogEnding, matches: Sequence[_Match]) -> _Match | PythonError | None:
    """Return what ended the run: the last failure that it didn't survive, the innermost where one led to another.

    Failures that the run survived count only if there is nothing else.
    """
    causes = [item for item in matches if item.row.precision is not Precision.CONSEQUENCE]
    consequences = [item for item in matches if item.row.precision is Precision.CONSEQUENCE]
    errors = [
        error
        for error in ending.errors
        if not error.is_wrapper and not any(item.row.regex.search(error.text) for item in consequences)
    ]
    last_error = errors[-1] if errors else None
    current = [item for item in causes if last_error is None or item.line >= last_error.start]
    # The sort is stable: of two rows at the same line, the earlier one of the table stays in front.
    current.sort(key=lambda item: item.line, reverse=True)
    candidates: list[_Match | PythonError] = [
        *(item for item in current if item.row.precision is Precision.EXACT),
        *(item for item in current if item.row.precision is Precision.GENERAL),
        *([last_error] if last_error else []),
    ]
    # The name of a wrapper without a message tells nothing.
    wrappers = [error for error in ending.errors if error.is_wrapper and not error.text.endswith(":")]
    survived = [item for item in candidates if ending.has_progress_after(_get_line(item))]
    ended = [item for item in candidates if item not in survived]
    return next(iter((*ended, *consequences, *survived, *reversed(wrappers))), None)


def _get_line(failure: _Match | PythonError) -> int:
    return failure.line if isinstance(failure, _Match) else failure.end


def _build_diagnosis(match: _Match, ending: LogEnding) -> Diagnosis:
    row = match.row
    return Diagnosis(
        row.cause,
        f"{_insert_detail(row.says, match.detail)} {row.advice}",
        _extract_evidence(ending, match.line),
        row.steps,
        row.is_machine_fault,
        row.remedy,
        match.detail,
    )


def _diagnose_error(error: PythonError, ending: LogEnding) -> Diagnosis:
    """Return the diagnosis of an error that only the code explains."""
    evidence = _extract_evidence(ending, error.end)
    name, _, message = error.text.partition(":")
    if name.endswith("AssertionError"):
        detail = f": {_shorten(message.strip())}" if message.strip() else ""
        return Diagnosis(FailureCause.ASSERTION, f"An assertion in the code failed{detail}.", evidence, CHANGE)
    return Diagnosis(FailureCause.CODE, f"The code raised {_shorten(error.text)}", evidence, CHANGE)


def _extract_evidence(ending: LogEnding, line: int) -> tuple[str, ...]:
    """Return the lines up to an error's message, or else the end of the log, or what is around the line."""
    if any(error.start <= line <= error.end for error in ending.errors):
        return ending.lines[max(line + 1 - _MAX_EVIDENCE_LINES, 0) : line + 1]
    last_lines = tuple(ending.script_lines[-_MAX_EVIDENCE_LINES:])
    if 0 <= line < len(ending.lines) and ending.lines[line] not in last_lines:
        return ending.lines[line : line + _MAX_EVIDENCE_LINES]
    return last_lines


def _insert_detail(text: str, detail: str) -> str:
    """Return the text with the detail in place of the X in braces, or without the part in braces."""
    inserted = _shorten(_format_amount(" ".join(detail.split())))
    return re.sub(r"\{([^}]*)\}", lambda match: match[1].replace("X", inserted) if inserted else "", text)


def _format_amount(text: str) -> str:
    if match := _BYTES_PATTERN.match(text):
        return f"{int(match[1]) / 2**30:.3g} GiB"
    return _AMOUNT_PATTERN.sub(lambda amount: f"{float(amount[0]):g}", text)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL_LENGTH else f"{text[:_MAX_DETAIL_LENGTH]}…"
