"""Why runs fail, read from log endings as the programs themselves print them."""

from pathlib import Path

import pytest

from clearml_chatops.services.notifications.diagnosis import FailureCause, diagnose_log

_LOGS = Path(__file__).parent / "logs"
_AGENT = "worker execution exit code 1"


def _log(name: str) -> list[str]:
    return (_LOGS / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("cause", "reason", "summary_part", "last_line"),
    [
        (FailureCause.CUDA_OUT_OF_MEMORY, _AGENT, "for another 2.25 GiB", "torch.OutOfMemoryError: CUDA out of"),
        (FailureCause.MODULE_MISSING, _AGENT, "albumentations is missing", "ModuleNotFoundError: No module named"),
        (FailureCause.IMAGE, "worker execution exit code 125", "nvcr.io/team/trainer", "See 'docker run --help'."),
        (FailureCause.GIT, "failed cloning repository", "could not be fetched", "2) Check if remote-worker has"),
        (FailureCause.PACKAGES, _AGENT, "torchvision==0.19.9", "Command '['/home/ml/.clearml"),
        (FailureCause.NO_SPACE, _AGENT, "No space is left", "OSError: [Errno 28]"),
        (FailureCause.KILLED, "worker execution exit code -9", "killed from outside", "Epoch 1/90  step 2220"),
        (FailureCause.HOST_OUT_OF_MEMORY, _AGENT, "shm-size", "RuntimeError: DataLoader worker (pid 318)"),
        (FailureCause.ASSERTION, _AGENT, "999 labels for 1000 classes", "AssertionError: 999 labels"),
        (FailureCause.CODE, _AGENT, "RuntimeError: mat1 and mat2 shapes", "RuntimeError: mat1 and mat2"),
        (FailureCause.WORKER_LOST, "Forced stop (non-responsive)", "fell silent", "Epoch 41/90  step 130"),
    ],
)
def test_diagnoses_cause_summary_and_evidence(
    cause: FailureCause, reason: str, summary_part: str, last_line: str
) -> None:
    diagnosis = diagnose_log(_log(cause.value), reason)
    assert diagnosis.cause is cause
    assert summary_part in diagnosis.summary
    assert "\n" not in diagnosis.summary
    assert "{" not in diagnosis.summary
    assert diagnosis.evidence[-1].startswith(last_line)
    assert 0 < len(diagnosis.evidence) <= 8


def test_earlier_handled_error_is_not_the_cause() -> None:
    """A script that tries smaller batches prints that memory did not suffice, and fails of something else."""
    log = ["RuntimeError: CUDA out of memory. Tried to allocate 9.00 GiB", *_log("code")]
    assert diagnose_log(log).cause is FailureCause.CODE


def test_image_pull_is_not_a_failure() -> None:
    log = ["Unable to find image 'python:3.12' locally", "3.12: Pulling from library/python", *_log("assertion")]
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
