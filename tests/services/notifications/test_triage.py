"""Why runs fail, read from log endings as the programs themselves print them."""

from pathlib import Path

import pytest

from clearml_chatops.services.notifications.triage import FailureKind, triaged

_LOGS = Path(__file__).parent / "logs"
_AGENT = "worker execution exit code 1"


def _log(name: str) -> list[str]:
    return (_LOGS / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("kind", "reason", "said", "last_line"),
    [
        (FailureKind.CUDA_OUT_OF_MEMORY, _AGENT, "for another 2.25 GiB", "torch.OutOfMemoryError: CUDA out of"),
        (FailureKind.MODULE_MISSING, _AGENT, "albumentations is missing", "ModuleNotFoundError: No module named"),
        (FailureKind.IMAGE, "worker execution exit code 125", "nvcr.io/team/trainer", "See 'docker run --help'."),
        (FailureKind.GIT, "failed cloning repository", "could not be fetched", "2) Check if remote-worker has"),
        (FailureKind.PACKAGES, _AGENT, "torchvision==0.19.9", "Command '['/home/ml/.clearml"),
        (FailureKind.NO_SPACE, _AGENT, "No space is left", "OSError: [Errno 28]"),
        (FailureKind.KILLED, "worker execution exit code -9", "killed from outside", "Epoch 1/90  step 2220"),
        (FailureKind.MEMORY_OF_THE_HOST, _AGENT, "shm-size", "RuntimeError: DataLoader worker (pid 318)"),
        (FailureKind.ASSERTION, _AGENT, "999 labels for 1000 classes", "AssertionError: 999 labels"),
        (FailureKind.CODE, _AGENT, "RuntimeError: mat1 and mat2 shapes", "RuntimeError: mat1 and mat2"),
        (FailureKind.LOST, "Forced stop (non-responsive)", "fell silent", "Epoch 41/90  step 130"),
    ],
)
def test_a_log_ending_tells_its_kind_a_sentence_and_the_lines_that_show_it(
    kind: FailureKind, reason: str, said: str, last_line: str
) -> None:
    triage = triaged(_log(kind.value), reason)
    assert triage.kind is kind
    assert said in triage.sentence
    assert "\n" not in triage.sentence
    assert "{" not in triage.sentence
    assert triage.lines[-1].startswith(last_line)
    assert 0 < len(triage.lines) <= 8


def test_what_was_survived_is_not_the_cause() -> None:
    """A script that tries smaller batches prints that memory did not suffice, and fails of something else."""
    log = ["RuntimeError: CUDA out of memory. Tried to allocate 9.00 GiB", *_log("code")]
    assert triaged(log).kind is FailureKind.CODE


def test_an_image_that_is_pulled_because_it_was_not_there_is_no_failure() -> None:
    log = ["Unable to find image 'python:3.12' locally", "3.12: Pulling from library/python", *_log("assertion")]
    assert triaged(log).kind is FailureKind.ASSERTION


def test_an_empty_log_says_what_clearml_says() -> None:
    triage = triaged([], "failed for a reason of its own")
    assert triage.kind is FailureKind.UNKNOWN
    assert "failed for a reason of its own" in triage.sentence
    assert triage.lines == ()


def test_what_a_run_printed_at_length_is_cut() -> None:
    triage = triaged(["Traceback (most recent call last):", "ValueError: " + "x" * 5000])
    assert triage.kind is FailureKind.CODE
    assert len(triage.sentence) < 250
