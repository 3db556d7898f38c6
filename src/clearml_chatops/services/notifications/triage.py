"""Why a run failed, read from the end of its log and the reason that ClearML has noted. Pure.

The patterns are what CUDA, PyTorch, Python, pip, docker, git and clearml-agent themselves print.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LINES_READ = 100
"""How much of a log's end is looked at: an agent prints dozens of lines of its own behind the code's."""

_SHOWN_LINES = 8
_LONGEST_DETAIL = 160


class FailureKind(StrEnum):
    CUDA_OUT_OF_MEMORY = "cuda_out_of_memory"
    CUDA_BROKEN = "cuda_broken"
    MODULE_MISSING = "module_missing"
    PACKAGES = "packages"
    IMAGE = "image"
    GIT = "git"
    NO_SPACE = "no_space"
    MEMORY_OF_THE_HOST = "memory_of_the_host"
    KILLED = "killed"
    LOST = "lost"
    ASSERTION = "assertion"
    CODE = "code"
    UNKNOWN = "unknown"

    @property
    def is_of_the_infrastructure(self) -> bool:
        """Whether the same run may well succeed another time, or on another machine."""
        return self in _INFRASTRUCTURE

    @property
    def asks_for_a_change(self) -> bool:
        """Whether the same run fails again unless something in the experiment is changed."""
        return self in _NEEDS_A_CHANGE


_INFRASTRUCTURE = {
    FailureKind.CUDA_BROKEN,
    FailureKind.NO_SPACE,
    FailureKind.MEMORY_OF_THE_HOST,
    FailureKind.KILLED,
    FailureKind.LOST,
}
_NEEDS_A_CHANGE = {
    FailureKind.CUDA_OUT_OF_MEMORY,
    FailureKind.MODULE_MISSING,
    FailureKind.PACKAGES,
    FailureKind.IMAGE,
    FailureKind.GIT,
    FailureKind.ASSERTION,
    FailureKind.CODE,
}


@dataclass(frozen=True, slots=True)
class Triage:
    """What went wrong: the kind, a sentence that says what to do, and the lines that show it."""

    kind: FailureKind
    sentence: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sign:
    kind: FailureKind
    pattern: re.Pattern[str]
    sentence: str


def _sign(kind: FailureKind, pattern: str, sentence: str) -> _Sign:
    return _Sign(kind, re.compile(pattern, re.IGNORECASE), sentence)


_SIGNS = (
    _sign(
        FailureKind.CUDA_OUT_OF_MEMORY,
        r"CUDA out of memory(?:\. Tried to allocate (?P<detail>[\d.]+ [KMGT]iB))?|CUDA error: out of memory"
        r"|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: Out of memory",
        "The GPU's memory did not suffice{: for another X}. Use a smaller batch, or a card with more memory.",
    ),
    _sign(
        FailureKind.NO_SPACE,
        r"No space left on device|Disk quota exceeded",
        "No space is left on the machine's disk. Make room there, then requeue it.",
    ),
    _sign(
        FailureKind.MODULE_MISSING,
        r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<detail>[\w.]+)",
        "The module{ X} is missing. Add its package to the requirements, the setup script or the image.",
    ),
    _sign(
        FailureKind.IMAGE,
        r"Unable to find image '(?P<detail>[^']+)' locally(?=[\s\S]*(?:Error response|docker: ))"
        r"|pull access denied for (?P<detail2>[^\s,]+)|manifest for (?P<detail3>\S+) not found"
        r"|docker: invalid reference format",
        "The image{ X} was not found or may not be pulled. "
        "Check its name with /container, and the registry's login.",
    ),
    _sign(
        FailureKind.GIT,
        r"Repository cloning failed|Failed cloning repository|fatal: (?P<detail>reference is not a tree: \w+"
        r"|Authentication failed[^\n]*|could not read Username[^\n]*|repository '[^']*' not found"
        r"|Could not read from remote repository|bad object \w+|couldn't find remote ref \S+)",
        "The code could not be fetched{: X}. Push the commit, and check the worker's access to the repository.",
    ),
    _sign(
        FailureKind.PACKAGES,
        r"ERROR: (?:Could not find a version that satisfies the requirement (?P<detail>\S+)"
        r"|No matching distribution found for (?P<detail2>\S+)|ResolutionImpossible"
        r"|Could not install packages|Failed building wheel for (?P<detail3>\S+))",
        "A package could not be installed{: X}. Change the requirements, or take an image that has it.",
    ),
    _sign(
        FailureKind.CUDA_BROKEN,
        r"CUDA error: (?P<detail>unspecified launch failure|an illegal memory access was encountered"
        r"|uncorrectable ECC error encountered)|CUDA driver version is insufficient|No CUDA GPUs are available"
        r"|NVML: Driver/library version mismatch|could not select device driver|NCCL (?:error|WARN)"
        r"|GPU is lost|unhandled (?:system|cuda) error",
        "The GPU or its driver failed{: X}. Look at the card with /gpus, then requeue it on another worker.",
    ),
    _sign(
        FailureKind.MEMORY_OF_THE_HOST,
        r"DataLoader worker \(pid[^)]*\) is killed by signal: (?:Killed|Bus error)"
        r"|oom-kill|Out of memory: Killed process|\bMemoryError\b|Cannot allocate memory"
        r"|insufficient shared memory",
        "The machine's memory did not suffice. Use fewer data workers or a larger --shm-size, then requeue it.",
    ),
)

_KILLED = re.compile(
    r"exit code (?:-9|137|-15|143|265|271)\b|^Killed$|received signal (?:9|15)|SIGKILL", re.MULTILINE
)
_LOST = re.compile(
    r"non[- ]responsive|watchdog|stopped reporting|Forced stop|worker (?:lost|is gone)|host rebooted",
    re.IGNORECASE,
)
_TRACEBACK = "Traceback (most recent call last):"
_ERROR_LINE = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)")
_OF_THE_AGENT = re.compile(
    r"^(?:Process failed, exit code|Task process terminated|Task failure: setting status"
    r"|Leaving process id|DONE: Running task|\d{4}-\d\d-\d\d [\d:,]+ - clearml)"
)


def triaged(log: Sequence[str], reason: str = "") -> Triage:
    """Why a run failed, from the last lines of its log and ClearML's status reason."""
    lines = [line.rstrip() for line in log[-LINES_READ:] if line.strip()]
    own = [line for line in lines if not _OF_THE_AGENT.match(line)]
    text = "\n".join(own)
    shown = _telling_lines(own)
    # The sign that stands last is the cause; what stands above was survived.
    found = max(
        ((match.start(), sign, match) for sign in _SIGNS for match in sign.pattern.finditer(text)),
        key=lambda item: item[0],
        default=None,
    )
    error = next((line for line in reversed(own) if _ERROR_LINE.match(line)), "")
    if found is not None and not _is_survived(text, found[0]):
        _, sign, match = found
        details = [value for value in match.groupdict().values() if value]
        return Triage(sign.kind, _with_detail(sign.sentence, details[0] if details else ""), shown)
    if _LOST.search(reason):
        return Triage(
            FailureKind.LOST,
            "Its worker fell silent: the machine was rebooted, switched off, or lost its connection. Requeue it.",
            shown,
        )
    if error.partition(":")[0].endswith("AssertionError"):
        said = _clipped(error.partition(":")[2].strip())
        return Triage(
            FailureKind.ASSERTION, f"An assertion of the code failed{f': {said}' if said else ''}.", shown
        )
    if _TRACEBACK in text and error:
        return Triage(FailureKind.CODE, f"The code raised {_clipped(error)}", shown)
    if _KILLED.search("\n".join([*lines, reason])):
        return Triage(
            FailureKind.KILLED,
            "It was killed from outside: by a person, by a reboot, or because the machine's memory was full.",
            shown,
        )
    said = f" ClearML says: {_clipped(reason)}." if reason else ""
    return Triage(FailureKind.UNKNOWN, f"Its log does not tell why.{said}", shown)


def _is_survived(text: str, position: int) -> bool:
    """Whether a traceback that begins after the sign tells of something else."""
    after = text.find(_TRACEBACK, position)
    # "During handling of the above exception" is the same failure told once more.
    return after != -1 and "another exception occurred" not in text[position:after]


def _telling_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """The last lines of the traceback where there is one, else of the log."""
    ends = [number for number, line in enumerate(lines) if _ERROR_LINE.match(line)]
    begins = any(line.strip() == _TRACEBACK for line in lines)
    if begins and ends:
        return tuple(lines[max(ends[-1] + 1 - _SHOWN_LINES, 0) : ends[-1] + 1])
    return tuple(lines[-_SHOWN_LINES:])


def _with_detail(sentence: str, detail: str) -> str:
    """The sentence with what stands in braces where there is a detail for its X, else without."""
    fill = _clipped(detail)
    return re.sub(r"\{([^}]*)\}", lambda match: match[1].replace("X", fill) if fill else "", sentence)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}…"
