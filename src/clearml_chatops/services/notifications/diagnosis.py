"""Diagnoses why a run failed, from the end of its log and ClearML's status reason. Pure.

The patterns match what CUDA, PyTorch, Python, pip, docker, git and clearml-agent print.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LOG_LINE_COUNT = 100
"""Lines read from the end of a log: an agent prints dozens of its own lines after those of the script."""

_MAX_EVIDENCE_LINES = 8
_MAX_DETAIL_LENGTH = 160


class FailureCause(StrEnum):
    """Why a run failed. The log samples of the tests are named after the values."""

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
        """Whether the same run may succeed when requeued, or on another machine."""
        return self in _INFRASTRUCTURE_CAUSES

    @property
    def needs_change(self) -> bool:
        """Whether the same run fails again unless the experiment is changed."""
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
    """Why a run failed: the cause, a summary that says what to do, and the log lines that show it."""

    cause: FailureCause
    summary: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _FailurePattern:
    """What a program prints for a cause. The part of `summary` in braces needs the matched detail, its X."""

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
        "Out of GPU memory{: it needed another X}. Use a smaller batch, or a GPU with more memory.",
    ),
    _build_pattern(
        FailureCause.NO_SPACE,
        r"No space left on device|Disk quota exceeded",
        "No disk space left on the machine. Free some space there, then requeue the run.",
    ),
    _build_pattern(
        FailureCause.MODULE_MISSING,
        r"(?:ModuleNotFoundError|ImportError): No module named '?(?P<detail>[\w.]+)",
        "The Python module{ X} is missing. Add its package to the requirements, the setup script or the image.",
    ),
    _build_pattern(
        FailureCause.IMAGE,
        r"Unable to find image '(?P<detail>[^']+)' locally(?=[\s\S]*(?:Error response|docker: ))"
        r"|pull access denied for (?P<detail2>[^\s,]+)|manifest for (?P<detail3>\S+) not found"
        r"|docker: invalid reference format",
        "The image{ X} wasn't found or can't be pulled. "
        "Check its name with /container, and the worker's registry login.",
    ),
    _build_pattern(
        FailureCause.GIT,
        r"Repository cloning failed|Failed cloning repository|fatal: (?P<detail>reference is not a tree: \w+"
        r"|Authentication failed[^\n]*|could not read Username[^\n]*|repository '[^']*' not found"
        r"|Could not read from remote repository|bad object \w+|couldn't find remote ref \S+)",
        "Couldn't fetch the code{: X}. Push the commit, and check the worker's access to the repository.",
    ),
    _build_pattern(
        FailureCause.PACKAGES,
        r"ERROR: (?:Could not find a version that satisfies the requirement (?P<detail>\S+)"
        r"|No matching distribution found for (?P<detail2>\S+)|ResolutionImpossible"
        r"|Could not install packages|Failed building wheel for (?P<detail3>\S+))",
        "Couldn't install a package{: X}. Change the requirements, or use an image that has it.",
    ),
    _build_pattern(
        FailureCause.CUDA_BROKEN,
        r"CUDA error: (?P<detail>unspecified launch failure|an illegal memory access was encountered"
        r"|uncorrectable ECC error encountered)|CUDA driver version is insufficient|No CUDA GPUs are available"
        r"|NVML: Driver/library version mismatch|could not select device driver|NCCL (?:error|WARN)"
        r"|GPU is lost|unhandled (?:system|cuda) error",
        "The GPU or its driver failed{: X}. Check the GPU with /gpus, then requeue the run on another worker.",
    ),
    _build_pattern(
        FailureCause.HOST_OUT_OF_MEMORY,
        r"DataLoader worker \(pid[^)]*\) is killed by signal: (?:Killed|Bus error)"
        r"|oom-kill|Out of memory: Killed process|\bMemoryError\b|Cannot allocate memory"
        r"|insufficient shared memory",
        "Out of memory on the machine. Use fewer data loader workers or a larger --shm-size, then requeue.",
    ),
)

_KILLED_PATTERN = re.compile(
    r"exit code (?:-9|137|-15|143|265|271)\b|^Killed$|received signal (?:9|15)|SIGKILL", re.MULTILINE
)
_WORKER_LOST_PATTERN = re.compile(
    r"non[- ]responsive|watchdog|stopped reporting|Forced stop|worker (?:lost|is gone)|host rebooted",
    re.IGNORECASE,
)
_AMOUNT_PATTERN = re.compile(r"\d+\.\d+(?= [KMGT]iB)")
_TRACEBACK_HEADER = "Traceback (most recent call last):"
_ERROR_LINE_PATTERN = re.compile(
    r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Warning)(?::|$)"
)
_AGENT_LINE_PATTERN = re.compile(
    r"^(?:Process failed, exit code|Task process terminated|Task failure: setting status"
    r"|Leaving process id|DONE: Running task|\d{4}-\d\d-\d\d [\d:,]+ - clearml)"
)


def diagnose_log(log: Sequence[str], reason: str = "") -> Diagnosis:
    """Return why a run failed, from the last lines of its log and ClearML's status reason."""
    lines = [line.rstrip() for line in log[-LOG_LINE_COUNT:] if line.strip()]
    script_lines = [line for line in lines if not _AGENT_LINE_PATTERN.match(line)]
    text = "\n".join(script_lines)
    evidence = _extract_evidence(script_lines)
    last_match = _find_last_match(text)
    error = next((line for line in reversed(script_lines) if _ERROR_LINE_PATTERN.match(line)), "")
    if last_match is not None and not _has_later_traceback(text, last_match[1].start()):
        failure_pattern, match = last_match
        details = [value for value in match.groupdict().values() if value]
        return Diagnosis(
            failure_pattern.cause, _insert_detail(failure_pattern.summary, details[0] if details else ""), evidence
        )
    if _WORKER_LOST_PATTERN.search(reason):
        return Diagnosis(
            FailureCause.WORKER_LOST,
            "The worker stopped reporting: its machine may be rebooting, off or offline. Requeue the run.",
            evidence,
        )
    if error.partition(":")[0].endswith("AssertionError"):
        detail = _shorten(error.partition(":")[2].strip())
        return Diagnosis(
            FailureCause.ASSERTION, f"An assertion in the code failed{f': {detail}' if detail else ''}.", evidence
        )
    if _TRACEBACK_HEADER in text and error:
        return Diagnosis(FailureCause.CODE, f"The code raised {_shorten(error)}", evidence)
    if _KILLED_PATTERN.search("\n".join([*lines, reason])):
        return Diagnosis(
            FailureCause.KILLED,
            "The run was killed from outside: by a person, a reboot or a lack of memory. "
            "Check the machine, then requeue the run.",
            evidence,
        )
    detail = f" ClearML says: {_shorten(reason)}." if reason else ""
    return Diagnosis(FailureCause.UNKNOWN, f"No cause found in the log.{detail}", evidence)


def _find_last_match(text: str) -> tuple[_FailurePattern, re.Match[str]] | None:
    """Return the last match, which is the cause: the script survived the errors before it."""
    return max(
        (
            (failure_pattern, match)
            for failure_pattern in _FAILURE_PATTERNS
            for match in failure_pattern.regex.finditer(text)
        ),
        key=lambda item: item[1].start(),
        default=None,
    )


def _has_later_traceback(text: str, position: int) -> bool:
    """Return whether a traceback after the match is about another failure."""
    after = text.find(_TRACEBACK_HEADER, position)
    # A traceback after "During handling of the above exception" belongs to the same failure.
    return after != -1 and "another exception occurred" not in text[position:after]


def _extract_evidence(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines of the traceback, or of the log if there is none."""
    error_indexes = [number for number, line in enumerate(lines) if _ERROR_LINE_PATTERN.match(line)]
    has_traceback = any(line.strip() == _TRACEBACK_HEADER for line in lines)
    if has_traceback and error_indexes:
        return tuple(lines[max(error_indexes[-1] + 1 - _MAX_EVIDENCE_LINES, 0) : error_indexes[-1] + 1])
    return tuple(lines[-_MAX_EVIDENCE_LINES:])


def _insert_detail(summary: str, detail: str) -> str:
    """Return the summary with the detail in place of the X in braces, or without the part in braces."""
    inserted = _shorten(_AMOUNT_PATTERN.sub(lambda amount: f"{float(amount[0]):g}", detail))
    return re.sub(r"\{([^}]*)\}", lambda match: match[1].replace("X", inserted) if inserted else "", summary)


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL_LENGTH else f"{text[:_MAX_DETAIL_LENGTH]}…"
