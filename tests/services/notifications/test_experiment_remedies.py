"""What the failed experiment adds to a diagnosis: its GPU parameter, mounts and user."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from clearml_chatops.models.experiments import Container, Experiment, Parameter, Status
from clearml_chatops.services.notifications.diagnosis import Diagnosis, diagnose_log
from clearml_chatops.services.notifications.experiment_remedies import add_remedy
from clearml_chatops.services.notifications.failure_patterns.rows import NextStep

_ORDINAL = "RuntimeError: CUDA error: invalid device ordinal"
_MISSING = "FileNotFoundError: [Errno 2] No such file or directory: '/data/train.csv'"
_DENIED = "PermissionError: [Errno 13] Permission denied: '/workspace/out'"
_IMAGE = Container("python:3.12")
_TRACEBACK = ("Traceback (most recent call last):", '  File "train.py", line 1, in <module>')


def _explain(*lines: str, container: Container = _IMAGE, gpu_count: int | None = 1) -> str:
    return _diagnose(*lines, container=container, gpu_count=gpu_count).summary


def _diagnose(
    *lines: str,
    container: Container = _IMAGE,
    gpu_count: int | None = 1,
    values: Mapping[str, str] = MappingProxyType({}),
) -> Diagnosis:
    experiment = Experiment(
        "1",
        "one",
        Status.FAILED,
        datetime(2026, 11, 27, tzinfo=UTC),
        parameters=tuple(Parameter("Args", name, value) for name, value in values.items()),
        container=container,
        worker_id="lab:q:gpu1",
        queue_id="q1",
    )
    return add_remedy(diagnose_log([*_TRACEBACK, *lines]), experiment, gpu_count)


@pytest.mark.parametrize(
    ("line", "values", "gpu_count", "said", "suggested"),
    [
        (
            _ORDINAL,
            {"gpus": "1"},
            1,
            (
                "It asked for GPU 1 (Args/gpus is 1), but lab:q:gpu1 has 1 GPU, which its runs see as GPU 0. "
                "Clone it and use /set Args/gpus 0."
            ),
            "0",
        ),
        (_ORDINAL, {"gpus": "[2, 3]"}, 2, "GPUs 2 and 3 (Args/gpus is [2, 3])", "[0, 1]"),
        (_ORDINAL, {"lr": "1", "device": "cuda:1"}, 1, "use /set Args/device cuda:0.", "cuda:0"),
        (_ORDINAL, {"num_gpus": "4"}, 2, "It asked for 4 GPUs (Args/num_gpus is 4)", "2"),
        (_ORDINAL, {"gpus": "3"}, None, "but a run's GPUs are numbered from 0. Clone it and use /set", "0"),
        (_ORDINAL, {"gpus": "0"}, 1, "lab:q:gpu1 has 1 GPU, which its runs see as GPU 0. Correct the GPU", None),
        (_ORDINAL, {}, None, "numbered from 0", None),
        (_ORDINAL, {"gpus": "1"}, 0, "lab:q:gpu1 has none. Start a worker with one", None),
        ("AssertionError: Invalid device id", {"gpu_ids": "0,1"}, 1, "GPUs 0 and 1", "0"),
        ("ValueError: Invalid CUDA 'device=1' requested.", {"device": "1"}, 1, "GPU 1", "0"),
        ("RuntimeError: No CUDA GPUs are available", {"cuda_visible_devices": "1"}, 1, "GPU 1", "0"),
        ("MisconfigurationException: You requested gpu: [0, 1]", {"devices": "2"}, 1, "asked for 2 GPUs", "1"),
        ("MisconfigurationException: You requested gpu: [1]", {"devices": "1"}, 1, "asked for GPU 1", "0"),
    ],
)
def test_gpus_that_the_worker_lacks_are_named_with_the_right_value(
    line: str, values: dict[str, str], gpu_count: int | None, said: str, suggested: str | None
) -> None:
    diagnosis = _diagnose(line, gpu_count=gpu_count, values=values)
    assert said in diagnosis.summary
    change = diagnosis.suggested_change
    assert (change.value if change else None) == suggested
    assert change is None or (change.queue_id == "q1" and str(change.parameter).startswith("Args/"))


def test_a_worker_without_gpus_is_shown() -> None:
    assert _diagnose(_ORDINAL, gpu_count=0, values={"gpus": "1"}).steps[0] is NextStep.SHOW_WORKERS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            "",
            'nothing is mounted there. If the machine has it, clone it and use /container args="-v /data:/data".',
        ),
        ("--ipc=host", 'use /container args="--ipc=host -v /data:/data".'),
        ("-v /srv/data:/dataset", 'args="-v /srv/data:/dataset -v /data:/data"'),
        ("-v /srv/data:/data", "the container has /srv/data of the machine as /data, without it. Check the name"),
        ("--volume=/srv/data:/data/:ro", "has /srv/data of the machine"),
        ("--mount type=bind,source=/srv/x,target=/data", "has /srv/x of the machine"),
        ("-v /:/ -v /inner:/data", "has /inner of the machine"),
        ("-v /a:/b " * 60, "add -v /data:/data to the arguments in /container"),
        ('-e NAME="a b"', "add -v /data:/data to the arguments in /container"),
    ],
)
def test_a_missing_mount_is_named(arguments: str, said: str) -> None:
    assert said in _explain(_MISSING, container=Container("python:3.12", arguments))


def test_a_folder_is_mounted_itself_and_quoted() -> None:
    text = _explain("FileNotFoundError: Couldn't find any class folder in /mnt/train")
    assert "-v /mnt/train:/mnt/train" in text
    line = "FileNotFoundError: [Errno 2] No such file or directory: '/my data/a.csv'"
    assert "-v '/my data:/my data'" in _explain(line)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", 'use /container args="--user 1000:1000", with the numbers of the folder\'s owner'),
        ("--user 1000:1000", "The container runs as user 1000:1000, who may not use /workspace/out."),
        ("-u=7", "runs as user 7"),
        ("-v /srv:/workspace:ro --user 7", "it's mounted read-only"),
        ("--mount type=bind,src=/srv,dst=/workspace,readonly", "it's mounted read-only"),
        ("-v /srv:/workspace", 'args="-v /srv:/workspace --user 1000:1000"'),
        ("--user '7", "runs as user '7"),
    ],
)
def test_a_missing_user_is_named(arguments: str, said: str) -> None:
    assert said in _explain(_DENIED, container=Container("python:3.12", arguments))


@pytest.mark.parametrize("line", [_MISSING, _DENIED])
def test_without_a_container_the_general_advice_stays(line: str) -> None:
    assert _explain(line, container=Container()) == diagnose_log([*_TRACEBACK, line]).summary
