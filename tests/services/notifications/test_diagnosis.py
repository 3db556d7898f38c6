"""Diagnosis of failed runs, from the ends of real logs."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.services.notifications.diagnosis import Diagnosis, diagnose_log
from clearml_chatops.services.notifications.failure_patterns.rows import FailureCause

_LOGS = Path(__file__).parent / "logs"
_AGENT = "worker execution exit code 1"
_TRACEBACK = "Traceback (most recent call last):"


def _read_log(name: str) -> list[str]:
    return (_LOGS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _read_endings(name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield cause, part of the summary and lines of each log in a file, as written: `### cause: part`, lines."""
    for block in (_LOGS / f"{name}.txt").read_text(encoding="utf-8").split("### ")[1:]:
        head, *lines = block.splitlines()
        cause, _, part = head.partition(": ")
        yield cause, part, lines


def _read_reported() -> list[dict[str, Any]]:
    """Return the log endings that the bot once named wrongly."""
    return [json.loads(line) for line in (_LOGS / "reported.jsonl").read_text(encoding="utf-8").splitlines()]


_REPORTED = _read_reported()
_KNOWN = list(_read_endings("known_endings"))
_WRAPPED = list(_read_endings("wrapped_endings"))
_SURVIVED = list(_read_endings("survived_failures"))


@pytest.mark.parametrize("case", _REPORTED, ids=lambda case: case["name"])
def test_reported_failures_are_named_rightly(case: dict[str, Any]) -> None:
    diagnosis = diagnose_log(case["log"], _AGENT)
    assert diagnosis.cause == case["kind"]
    assert any(word in diagnosis.summary.lower() for word in case["says_one_of"]), diagnosis.summary


@pytest.mark.parametrize(("cause", "part", "lines"), _KNOWN + _WRAPPED + _SURVIVED)
def test_failures_are_named_with_what_matters(cause: str, part: str, lines: list[str]) -> None:
    diagnosis = diagnose_log(lines, _AGENT)
    assert (diagnosis.cause, part in diagnosis.summary) == (cause, True), diagnosis.summary
    assert not set("{}\n") & set(diagnosis.summary.replace(part, ""))
    assert 0 < len(diagnosis.evidence) <= 8


def test_each_cause_has_at_least_three_logs_beside_the_reported_ones() -> None:
    counts = Counter(cause for cause, _, _ in _KNOWN)
    assert [cause for cause in FailureCause if counts[cause] < 3] == [FailureCause.WORKER_LOST], "has no log"


@pytest.mark.parametrize(
    ("cause", "reason", "summary_part", "last_line"),
    [
        (
            FailureCause.CUDA_OUT_OF_MEMORY,
            _AGENT,
            "it needed another 2.25 GiB",
            "torch.OutOfMemoryError: CUDA out of",
        ),
        (FailureCause.MODULE_MISSING, _AGENT, "albumentations is missing", "ModuleNotFoundError: No module named"),
        (FailureCause.IMAGE, "worker execution exit code 125", "nvcr.io/team/trainer", "See 'docker run --help'."),
        (
            FailureCause.GIT,
            "failed cloning repository",
            "reference is not a tree",
            "2) Check if remote-worker has",
        ),
        (FailureCause.PACKAGES, _AGENT, "torchvision==0.19.9", "Command '['/home/ml/.clearml"),
        (FailureCause.NO_SPACE, _AGENT, "No disk space left", "OSError: [Errno 28]"),
        (FailureCause.KILLED, "worker execution exit code -9", "killed from outside", "Epoch 1/90  step 2220"),
        (FailureCause.HOST_OUT_OF_MEMORY, _AGENT, "shm-size", "RuntimeError: DataLoader worker (pid 318)"),
        (FailureCause.ASSERTION, _AGENT, "999 labels for 1000 classes", "AssertionError: 999 labels"),
        (FailureCause.CODE, _AGENT, "RuntimeError: mat1 and mat2 shapes", "RuntimeError: mat1 and mat2"),
        (FailureCause.WORKER_LOST, "Forced stop (non-responsive)", "stopped reporting", "Epoch 41/90  step 130"),
    ],
)
def test_diagnoses_cause_summary_and_evidence(
    cause: FailureCause, reason: str, summary_part: str, last_line: str
) -> None:
    diagnosis = diagnose_log(_read_log(cause.value), reason)
    assert diagnosis.cause is cause
    assert summary_part in diagnosis.summary
    assert diagnosis.evidence[-1].startswith(last_line)


@pytest.mark.parametrize(
    "reason",
    ["Forced stop (non-responsive)", "Task is non responsive", "stopped reporting for 2 h", "worker lost"],
)
def test_a_lost_worker_is_known_by_the_status_reason(reason: str) -> None:
    diagnosis = diagnose_log(["epoch 3", "RuntimeError: a warning"], reason)
    assert diagnosis.cause is FailureCause.WORKER_LOST
    assert diagnosis.is_machine_fault


def test_a_watchdog_in_the_log_is_no_lost_worker() -> None:
    assert diagnose_log(["Watchdog started, worker lost nothing"]).cause is FailureCause.UNKNOWN


# ── Which failure counts ──────────────────────────────────────────────────────────────────────────


def test_earlier_handled_error_is_not_the_cause() -> None:
    """A script that retries with smaller batches logs that it ran out of memory, and fails of something else."""
    log = ["RuntimeError: CUDA out of memory. Tried to allocate 9.00 GiB", *_read_log("code")]
    assert diagnose_log(log).cause is FailureCause.CODE


def test_what_is_named_stays_named_in_the_middle_of_a_long_report() -> None:
    frames = [f"frame #{number}: c10::Error + 0x{number:x} (libc10.so)" for number in range(30)]
    lines = ["RuntimeError: CUDA error: invalid device ordinal", *frames]
    diagnosis = diagnose_log(lines)
    assert diagnosis.cause is FailureCause.GPU_NOT_THERE
    assert diagnosis.evidence[0] == lines[0]


def test_colours_progress_bars_and_blank_lines_dont_hide_the_cause() -> None:
    log = ["\x1b[31mModuleNotFoundError:\x1b[0m No module named 'x'", "", "10%|█  \r100%|███\r", "   "]
    diagnosis = diagnose_log(log)
    assert diagnosis.cause is FailureCause.MODULE_MISSING
    assert not any("\x1b" in line or "\r" in line for line in diagnosis.evidence)


def test_image_pull_is_not_a_failure() -> None:
    log = [
        "Unable to find image 'python:3.12' locally",
        "3.12: Pulling from library/python",
        *_read_log("assertion"),
    ]
    assert diagnose_log(log).cause is FailureCause.ASSERTION


@pytest.mark.parametrize(
    ("printed", "shown"),
    [("2.00 GiB", "2 GiB"), ("20.50 MiB", "20.5 MiB"), ("20 MiB", "20 MiB"), ("596. GiB", "596 GiB")],
)
def test_amount_of_memory_has_no_trailing_zeros(printed: str, shown: str) -> None:
    diagnosis = diagnose_log([f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {printed}."])
    assert f"needed another {shown}." in diagnosis.summary


def test_empty_log_falls_back_to_the_status_reason() -> None:
    diagnosis = diagnose_log([], "failed for a reason of its own")
    assert diagnosis.cause is FailureCause.UNKNOWN
    assert "failed for a reason of its own" in diagnosis.summary
    assert diagnosis.evidence == ()


def test_long_error_is_truncated() -> None:
    diagnosis = diagnose_log(["Traceback (most recent call last):", "ValueError: " + "x" * 5000])
    assert diagnosis.cause is FailureCause.CODE
    assert len(diagnosis.summary) < 250


# ── Whether a retry helps ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "can_retry"),
    [
        ("gpu memory", False),
        ("device-side assert", False),
        ("gpu index that the worker does not have", False),
        ("driver too old", False),
        ("nccl timeout", True),
        ("wrong version of a package", False),
        ("data not mounted", False),
        ("no permission", False),
        ("unknown argument", False),
        ("no gpu runtime in docker", True),
        ("pull rate", True),
        ("wrong architecture", False),
        ("mount source missing", False),
        ("host key", True),
        ("pip time-out", True),
        ("nothing to run", False),
        ("server refuses the worker", True),
        ("hub out of reach", True),
        ("shared memory", False),
        ("killed by the kernel", True),
        ("interrupted", True),
        ("syntax", False),
        ("not a number", False),
        ("survived memory", False),
    ],
)
def test_a_retry_is_offered_only_where_it_can_help(name: str, can_retry: bool) -> None:  # noqa: FBT001
    assert _diagnose_reported(name).can_retry is can_retry


@pytest.mark.parametrize(
    ("name", "is_machine_fault"),
    [
        ("no gpu runtime in docker", True),
        ("docker daemon refuses", True),
        ("hub out of reach", True),
        ("gpu memory", False),
        ("data not mounted", False),
        ("torchrun wraps the cause", False),
    ],
)
def test_the_machine_is_named_as_the_cause_only_where_it_is(
    name: str,
    is_machine_fault: bool,  # noqa: FBT001
) -> None:
    assert _diagnose_reported(name).is_machine_fault is is_machine_fault


def _diagnose_reported(name: str) -> Diagnosis:
    (log,) = (case["log"] for case in _REPORTED if case["name"] == name)
    return diagnose_log(log, _AGENT)


# ── Hostile logs ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "line",
    [
        *("a" * 100_000, " " * 100_000 + "x", "a." * 50_000, "word-word/" * 10_000, "x: " * 30_000, "'/" * 50_000),
        *("Error: " * 20_000, "fatal: " * 20_000, "ConnectionError: " + "/" * 100_000, "\r" * 100_000 + "a"),
        *("FileNotFoundError: " + "No such file " * 9_000, "ValueError: " + "nan " * 30_000, "\x1b[" * 50_000),
        *("[rank1]: " * 9_000, "docker: Error response from daemon: " * 4_000, "{X}{: X}" * 9_000),
    ],
)
def test_no_log_takes_long(line: str) -> None:
    started = time.process_time()
    diagnose_log([line] * 100, line)
    assert time.process_time() - started < 3, "it takes tenths of a second"


def test_braces_in_a_log_are_text() -> None:
    log = [
        _TRACEBACK,
        '  File "a.py", line 1',
        "FileNotFoundError: [Errno 2] No such file or directory: '/{X}/{: X}'",
    ]
    assert "/{X}/{: X}." in diagnose_log(log).summary
