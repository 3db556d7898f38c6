"""Diagnosis of failed runs, from the ends of real logs."""

from pathlib import Path

import pytest

from clearml_chatops.services.notifications.diagnosis import FailureCause, diagnose_log

_LOGS = Path(__file__).parent / "logs"
_AGENT = "worker execution exit code 1"


def _read_log(name: str) -> list[str]:
    return (_LOGS / f"{name}.txt").read_text().splitlines()


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
            "Couldn't fetch the code",
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
    assert "\n" not in diagnosis.summary
    assert "{" not in diagnosis.summary
    assert diagnosis.evidence[-1].startswith(last_line)
    assert 0 < len(diagnosis.evidence) <= 8


def test_earlier_handled_error_is_not_the_cause() -> None:
    """A script that retries with smaller batches logs that it ran out of memory, and fails of something else."""
    log = ["RuntimeError: CUDA out of memory. Tried to allocate 9.00 GiB", *_read_log("code")]
    assert diagnose_log(log).cause is FailureCause.CODE


@pytest.mark.parametrize(
    ("printed", "shown"), [("2.00 GiB", "2 GiB"), ("20.50 MiB", "20.5 MiB"), ("20 MiB", "20 MiB")]
)
def test_amount_of_memory_has_no_trailing_zeros(printed: str, shown: str) -> None:
    diagnosis = diagnose_log([f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {printed}."])
    assert f"needed another {shown}." in diagnosis.summary


def test_image_pull_is_not_a_failure() -> None:
    log = [
        "Unable to find image 'python:3.12' locally",
        "3.12: Pulling from library/python",
        *_read_log("assertion"),
    ]
    assert diagnose_log(log).cause is FailureCause.ASSERTION


def test_empty_log_falls_back_to_the_status_reason() -> None:
    diagnosis = diagnose_log([], "failed for a reason of its own")
    assert diagnosis.cause is FailureCause.UNKNOWN
    assert "failed for a reason of its own" in diagnosis.summary
    assert diagnosis.evidence == ()


def test_long_error_is_truncated() -> None:
    diagnosis = diagnose_log(["Traceback (most recent call last):", "ValueError: " + "x" * 5000])
    assert diagnosis.cause is FailureCause.CODE
    assert len(diagnosis.summary) < 250
