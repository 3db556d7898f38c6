"""Why a run failed, read from the end of its log and the reason that ClearML has noted. Pure.

The patterns are what CUDA, PyTorch, Python, pip, docker, git and clearml-agent themselves print.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LOG_LINE_COUNT = 100
"""How much of a log's end is looked at: an agent prints dozens of lines of its own behind the code's."""

_MAX_EVIDENCE_LINES = 8
_MAX_DETAIL_LENGTH = 160


class FailureCause(StrEnum):
    CUDA_OUT_OF_MEMORY = "cuda_out_of_memory"
    CUDA_BROKEN = "cuda_broken"
    MODULE_MISSING = "module_missing"
    PACKAGES = "packages"
    IMAGE = "image"
    GIT = "git"
    NO_SPACE = "no_space"
    HOST_OUT_OF_MEMORY = "host_out_of_memory"
    KILLED = "killed"
    WORKER_LOST = "worker_lost"
    ASSERTION = "assertion"
    CODE = "code"
    UNKNOWN = "unknown"

    @property
    def is_infrastructure_failure(self) -> bool:
        """Whether the same run may well succeed another time, or on another machine."""
        return self in _INFRASTRUCTURE_CAUSES

    @property
    def needs_change(self) -> bool:
        """Whether the same run fails again unless something in the experiment is changed."""
        return self in _CAUSES_THAT_NEED_CHANGE


_INFRASTRUCTURE_CAUSES = {
    FailureCause.CUDA_BROKEN,
    FailureCause.NO_SPACE,
    FailureCause.HOST_OUT_OF_MEMORY,
    FailureCause.KILLED,
    FailureCause.WORKER_LOST,
}
_CAUSES_THAT_NEED_CHANGE = {
    FailureCause.CUDA_OUT_OF_MEMORY,
    FailureCause.MODULE_MISSING,
    FailureCause.PACKAGES,
    FailureCause.IMAGE,
    FailureCause.GIT,
    FailureCause.ASSERTION,
    FailureCause.CODE,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What went wrong: the kind, a sentence that says what to do, and the lines that show it."""

    cause: FailureCause
    summary: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _FailurePattern:
    cause: FailureCause
    regex: re.Pattern[str]
    summary: str


def _build_pattern(cause: FailureCause, pattern: str, summary: str) -> _FailurePattern:
    return _FailurePattern(cause, re.compile(pattern, re.IGNORECASE), summary)


_FAILURE_PATTERNS = (
    _build_pattern(
        FailureCause.CUDA_OUT_OF_MEMORY,
        r"CUDA out of memory(?:\. Tried to allocate (?P<detail>[\d.]+ [KMGT]iB))?|CUDA error: out of memory"
        r"|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: Out of memory",
        "The GPU's memory did not suffice{: for another X}. Use a smaller batch, or a card with more memory.",
    ),
    _build_pattern(
        FailureCause.NO_SPACE,
        r"No space left on device|Disk quota exceeded",
        "No space is left on the machine's disk. Make room there, then requeue it.",
    ),
    _build_pattern(
        FailureCause.MODULE_MISSING,
        r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<detail>[\w.]+)",
        "The module{ X} is missing. Add its package to the requirements, the setup script or the image.",
    ),
    _build_pattern(
        FailureCause.IMAGE,
        r"Unable to find image '(?P<detail>[^']+)' locally(?=[\s\S]*(?:Error response|docker: ))"
        r"|pull access denied for (?P<detail2>[^\s,]+)|manifest for (?P<detail3>\S+) not found"
        r"|docker: invalid reference format",
        "The image{ X} was not found or may not be pulled. "
        "Check its name with /container, and the registry's login.",
    ),
    _build_pattern(
        FailureCause.GIT,
        r"Repository cloning failed|Failed cloning repository|fatal: (?P<detail>reference is not a tree: \w+"
        r"|Authentication failed[^\n]*|could not read Username[^\n]*|repository '[^']*' not found"
        r"|Could not read from remote repository|bad object \w+|couldn't find remote ref \S+)",
        "The code could not be fetched{: X}. Push the commit, and check the worker's access to the repository.",
    ),
    _build_pattern(
        FailureCause.PACKAGES,
        r"ERROR: (?:Could not find a version that satisfies the requirement (?P<detail>\S+)"
        r"|No matching distribution found for (?P<detail2>\S+)|ResolutionImpossible"
        r"|Could not install packages|Failed building wheel for (?P<detail3>\S+))",
        "A package could not be installed{: X}. Change the requirements, or take an image that has it.",
    ),
    _build_pattern(
        FailureCause.CUDA_BROKEN,
        r"CUDA error: (?P<detail>unspecified launch failure|an illegal memory access was encountered"
        r"|uncorrectable ECC error encountered)|CUDA driver version is insufficient|No CUDA GPUs are available"
        r"|NVML: Driver/library version mismatch|could not select device driver|NCCL (?:error|WARN)"
        r"|GPU is lost|unhandled (?:system|cuda) error",
        "The GPU or its driver failed{: X}. Look at the card with /gpus, then requeue it on another worker.",
    ),
    _build_pattern(
        FailureCause.HOST_OUT_OF_MEMORY,
        r"DataLoader worker \(pid[^)]*\) is killed by signal: (?:Killed|Bus error)"
        r"|oom-kill|Out of memory: Killed process|\bMemoryError\b|Cannot allocate memory"
        r"|insufficient shared memory",
        "The machine's memory did not suffice. Use fewer data workers or a larger --shm-size, then requeue it.",
    ),
)

_KILLED_PATTERN = re.compile(
    r"exit code (?:-9|137|-15|143|265|271)\b|^Killed$|received signal (?:9|15)|SIGKILL", re.MULTILINE
)
_WORKER_LOST_PATTERN = re.compile(
    r"non[- ]responsive|watchdog|stopped reporting|Forced stop|worker (?:lost|is gone)|host rebooted",
    re.IGNORECASE,
)
_TRACEBACK_HEADER = "Traceback (most recent call last):"
_ERROR_LINE_PATTERN = re.compile(
    r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)"
)
_AGENT_LINE_PATTERN = re.compile(
    r"^(?:Process failed, exit code|Task process terminated|Task failure: setting status"
    r"|Leaving process id|DONE: Running task|\d{4}-\d\d-\d\d [\d:,]+ - clearml)"
)


def diagnose_log(log: Sequence[str], reason: str = "") -> Diagnosis:
    """Why a run failed, from the last lines of its log and ClearML's status reason."""
    lines = [line.rstrip() for line in log[-LOG_LINE_COUNT:] if line.strip()]
    script_lines = [line for line in lines if not _AGENT_LINE_PATTERN.match(line)]
    text = "\n".join(script_lines)
    evidence = _extract_evidence(script_lines)
    # The sign that stands last is the cause; what stands above was survived.
    last_match = max(
        (
            (match.start(), failure_pattern, match)
            for failure_pattern in _FAILURE_PATTERNS
            for match in failure_pattern.regex.finditer(text)
        ),
        key=lambda item: item[0],
        default=None,
    )
    error = next((line for line in reversed(script_lines) if _ERROR_LINE_PATTERN.match(line)), "")
    if last_match is not None and not _has_later_traceback(text, last_match[0]):
        _, sign, match = last_match
        details = [value for value in match.groupdict().values() if value]
        return Diagnosis(sign.cause, _insert_detail(sign.summary, details[0] if details else ""), evidence)
    if _WORKER_LOST_PATTERN.search(reason):
        return Diagnosis(
            FailureCause.WORKER_LOST,
            "Its worker fell silent: the machine was rebooted, switched off, or lost its connection. Requeue it.",
            evidence,
        )
    if error.partition(":")[0].endswith("AssertionError"):
        detail = _shorten(error.partition(":")[2].strip())
        return Diagnosis(
            FailureCause.ASSERTION, f"An assertion of the code failed{f': {detail}' if detail else ''}.", evidence
        )
    if _TRACEBACK_HEADER in text and error:
        return Diagnosis(FailureCause.CODE, f"The code raised {_shorten(error)}", evidence)
    if _KILLED_PATTERN.search("\n".join([*lines, reason])):
        return Diagnosis(
            FailureCause.KILLED,
            "It was killed from outside: by a person, by a reboot, or because the machine's memory was full.",
            evidence,
        )
    detail = f" ClearML says: {_shorten(reason)}." if reason else ""
    return Diagnosis(FailureCause.UNKNOWN, f"Its log does not tell why.{detail}", evidence)


def _has_later_traceback(text: str, position: int) -> bool:
    """Whether a traceback that begins after the sign tells of something else."""
    after = text.find(_TRACEBACK_HEADER, position)
    # "During handling of the above exception" is the same failure told once more.
    return after != -1 and "another exception occurred" not in text[position:after]


def _extract_evidence(lines: Sequence[str]) -> tuple[str, ...]:
    """The last lines of the traceback where there is one, else of the log."""
    error_indexes = [number for number, line in enumerate(lines) if _ERROR_LINE_PATTERN.match(line)]
    has_traceback = any(line.strip() == _TRACEBACK_HEADER for line in lines)
    if has_traceback and error_indexes:
        return tuple(lines[max(error_indexes[-1] + 1 - _MAX_EVIDENCE_LINES, 0) : error_indexes[-1] + 1])
    return tuple(lines[-_MAX_EVIDENCE_LINES:])


def _insert_detail(summary: str, detail: str) -> str:
    """The sentence with what stands in braces where there is a detail for its X, else without."""
    inserted = _shorten(detail)
    return re.sub(r"\{([^}]*)\}", lambda match: match[1].replace("X", inserted) if inserted else "", summary)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL_LENGTH else f"{text[:_MAX_DETAIL_LENGTH]}…"
