"""Reads the end of a log: plain lines, and the Python errors in it. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_MAX_HEAD_LENGTH, _MAX_TAIL_LENGTH = 400, 100
"""A progress bar or an array can be one line of megabytes; what names a cause stands at its beginning or end."""

_MAX_MESSAGE_LINES = 12
"""Lines of an error's message in which to look for the words that link it to the next error."""

_ANSI_PATTERN = re.compile(r"\x1b\[[\d;?]{0,20}[A-Za-z]")
_PREFIX_PATTERN = re.compile(
    r"(?:\[(?:rank|default|local_rank|Rank )?\d{1,5}\]:\s?|\[\d{1,5},\d{1,5}\]<std\w{3}>:\s?"
    r"|\((?:[\w.]{1,60} )?pid=\d{1,8}[^)\n]{0,60}\)\s|<std\w{3}>\s)"
)
"""What torchrun, MPI and Ray put in front of each line of a process."""

_AGENT_LINE_PATTERN = re.compile(
    r"Process failed, exit code|Task process terminated|Task failure: setting status"
    r"|Leaving process id|DONE: Running task|\d{4}-\d\d-\d\d [\d:,]{1,12} - clearml"
)
_TRACEBACK_HEADER = "Traceback (most recent call last):"
_FRAME_PATTERN = re.compile(r'  File "[^"\n]{1,400}", line \d{1,7}')
_ERROR_PATTERN = re.compile(r"[A-Za-z_][\w.]{0,160}(?::|$)")
_CHAIN_PATTERN = re.compile(
    r"During handling of the above exception, another|The above exception was the direct cause"
)
_WRAPPER_PATTERN = re.compile(
    r"[\w.]{0,120}(?:ChildFailedError|Process(?:Raised|Exited)Exception|CalledProcessError|RayTaskError|SystemExit"
    r"|RuntimeError: DataLoader worker \(pid\(s\) [\d, ]{1,80}\) exited unexpectedly)"
)
_PROGRESS_PATTERN = re.compile(r"(?i:\b(?:epoch|step|iter(?:ation)?|batch)\b)[ :=#\[]{0,4}\d|\d%\|")


@dataclass(frozen=True, slots=True)
class PythonError:
    """An error and its traceback, from line `start` to line `end`, which holds the message.

    Errors that happened while another was handled begin where the first of them does. A wrapper only reports
    that a process or program inside it failed.
    """

    start: int
    end: int
    text: str

    @property
    def is_wrapper(self) -> bool:
        return bool(_WRAPPER_PATTERN.match(self.text))


@dataclass(frozen=True, slots=True)
class LogEnding:
    """The last lines of a log, without blank ones, colours and prefixes, and the Python errors in them."""

    lines: tuple[str, ...]
    errors: tuple[PythonError, ...]

    @property
    def script_lines(self) -> list[str]:
        """The lines without those of clearml-agent about the run's end."""
        return [line for line in self.lines if not _AGENT_LINE_PATTERN.match(line)]

    def has_progress_after(self, line_number: int) -> bool:
        """Return whether the run reports an epoch or a step after this line, so that it survived what is there.

        Where processes are wrapped, the others report steps until they notice, so nothing is known.
        """
        if any(error.is_wrapper for error in self.errors):
            return False
        return any(_PROGRESS_PATTERN.search(line) for line in self.lines[line_number + 1 :])


def read_log_ending(log: Sequence[str], max_lines: int) -> LogEnding:
    """Return the ending of a log, at most so many lines."""
    lines = tuple(line for text in log[-max_lines:] for line in _clean(text))[-max_lines:]
    return LogEnding(lines, tuple(_find_errors(lines)))


def _clean(text: str) -> Iterator[str]:
    """Yield the lines of a text as a terminal shows them, without what is in front of them."""
    for line in text.split("\n"):
        # A progress bar draws over itself: what follows the last carriage return is what people see.
        shown = _ANSI_PATTERN.sub("", _shorten(line.rstrip().rpartition("\r")[2]))
        if prefix := _PREFIX_PATTERN.match(shown):
            shown = shown[prefix.end() :]
        if shown := shown.rstrip():
            yield shown


def _shorten(line: str) -> str:
    if len(line) <= _MAX_HEAD_LENGTH + _MAX_TAIL_LENGTH:
        return line
    return f"{line[:_MAX_HEAD_LENGTH]} … {line[-_MAX_TAIL_LENGTH:]}"


def _find_errors(lines: Sequence[str]) -> Iterable[PythonError]:
    """Yield the errors that tracebacks end with; a syntax error has a frame without a traceback's header.

    A traceback that another program quotes, as pip does, is indented as a whole.
    """
    start: int | None = None
    chain_start: int | None = None
    indentation = 0
    for number, line in enumerate(lines):
        is_header = line.endswith(_TRACEBACK_HEADER)
        if is_header or (start is None and _FRAME_PATTERN.match(line)):
            start, chain_start = (number if chain_start is None else chain_start), None
            indentation = _measure_indentation(line) if is_header else 0
        elif start is not None and _measure_indentation(line) <= indentation:
            if _ERROR_PATTERN.match(line.lstrip()):
                yield PythonError(start, number, line.lstrip())
            following = lines[number + 1 : number + _MAX_MESSAGE_LINES]
            is_chained = any(_CHAIN_PATTERN.search(item) for item in following)
            chain_start, start = (start if is_chained else None), None


def _measure_indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
