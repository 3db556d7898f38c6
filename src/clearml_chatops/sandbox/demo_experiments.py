"""The experiments that the demo starts with: a completed one to clone, and a few others."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import resources

from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.events import SCALAR_EVENT, add_events
from clearml_chatops.sandbox.state import State, User

PROJECT = "vision"
SCRIPT = "train.py"
WORKER = "lab-1:gpu0"

_ARGUMENTS = {
    "gpus": ("0", "str", "GPUs to train on, comma separated"),
    "lr": ("0.1", "float", "learning rate"),
    "epochs": ("3", "int", "passes over the data"),
    "batch_size": ("32", "int", "images per step"),
    "backbone": ("resnet18", "str", "network to train"),
}
"""Value, type and description, as the SDK reads them from the script's argparse."""

_OUT_OF_MEMORY = """\
Traceback (most recent call last):
  File "train.py", line 41, in <module>
    loss.backward()
  File "/opt/venv/lib/python3.11/site-packages/torch/_tensor.py", line 581, in backward
    torch.autograd.backward(
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.25 GiB. GPU 0 has a total capacity of \
23.68 GiB of which 1.12 GiB is free. Including non-PyTorch memory, this process has 22.55 GiB memory in use.
Process failed, exit code 1"""


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """A finished run."""

    name: str
    owner: User
    status: str
    started_ago: timedelta
    """How long ago it started."""
    duration: timedelta
    steps: int
    reason: str = "worker execution done"
    arguments: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    log_end: str = "done\nProcess completed successfully"


def add_demo_experiments(state: State, *, alice: User, bob: User) -> Document:
    """Add the demo experiments.

    Returns:
        The task `baseline`: Alice's completed run with arguments, container, loss curve, log and a script
        that a clearml-agent can run without installing anything.
    """
    project = state.add_project(PROJECT, user=alice.id, description="Image classification")
    baseline = _add_run(
        state,
        project["id"],
        PastRun(
            name="baseline",
            owner=alice,
            status="completed",
            started_ago=timedelta(days=2),
            duration=timedelta(minutes=47),
            steps=60,
            tags=("reference",),
        ),
    )
    other_runs = (
        PastRun(
            name="resnet50 wide",
            owner=alice,
            status="completed",
            started_ago=timedelta(days=1, hours=3),
            duration=timedelta(hours=2, minutes=5),
            steps=90,
            arguments={"backbone": "resnet50", "lr": "0.05"},
            tags=("resnet50",),
        ),
        PastRun(
            name="resnet50 batch 256",
            owner=alice,
            status="failed",
            started_ago=timedelta(hours=20),
            duration=timedelta(minutes=3),
            steps=4,
            reason="worker execution exit code 1",
            arguments={"backbone": "resnet50", "batch_size": "256"},
            tags=("resnet50",),
            log_end=_OUT_OF_MEMORY,
        ),
        PastRun(
            name="high learning rate",
            owner=alice,
            status="stopped",
            started_ago=timedelta(hours=6),
            duration=timedelta(minutes=11),
            steps=14,
            reason="task was stopped by tasks.stop",
            arguments={"lr": "3.0"},
            log_end="User aborted: stopping task (1) stopped",
        ),
        PastRun(
            name="augmentation study",
            owner=bob,
            status="completed",
            started_ago=timedelta(hours=4),
            duration=timedelta(minutes=52),
            steps=60,
            arguments={"gpus": "1", "batch_size": "64"},
            tags=("augmentation",),
        ),
    )
    for run in other_runs:
        _add_run(state, project["id"], run, parent_id=baseline["id"])
    return baseline


def _add_run(state: State, project_id: str, run: PastRun, *, parent_id: str | None = None) -> Document:
    started = truncate_to_milliseconds(state.now() - run.started_ago)
    ended = started + run.duration
    extra_fields: Document = {
        "created": started - timedelta(minutes=1),
        "started": started,
        "completed": ended,
        "status_changed": ended,
        "last_change": ended,
        "active_duration": int(run.duration.total_seconds()),
    }
    if parent_id:
        extra_fields["parent"] = parent_id
    task = state.add_task(
        run.name,
        user=run.owner.id,
        project=project_id,
        status=run.status,
        status_reason=run.reason,
        status_message=f"Changed by clearml-agent {WORKER}",
        tags=list(run.tags),
        hyperparams={"Args": _build_arguments(run.arguments)},
        container={
            "image": "nvcr.io/nvidia/pytorch:25.09-py3",
            "arguments": "--ipc=host -v /data:/data",
        },
        script=_build_script(),
        last_worker=WORKER,
        last_worker_report=ended,
        **extra_fields,
    )
    learning_rate = float(run.arguments.get("lr", _ARGUMENTS["lr"][0]))
    add_events(state, _generate_events(task, run, learning_rate))
    # add_events has set it to now
    task["last_update"] = ended
    return task


def _build_arguments(overrides: dict[str, str]) -> Document:
    return {
        name: {
            "section": "Args",
            "name": name,
            "value": overrides.get(name, value),
            "type": kind,
            "description": description,
        }
        for name, (value, kind, description) in _ARGUMENTS.items()
    }


def _build_script() -> Document:
    """Return the script as the SDK stores one outside a repository: the whole file as uncommitted changes."""
    source = resources.files("clearml_chatops.sandbox").joinpath("demo", SCRIPT)
    return {
        "binary": "python3",
        "repository": "",
        "branch": "",
        "version_num": "",
        "entry_point": SCRIPT,
        "working_dir": ".",
        # an empty list of packages keeps the agent from detecting the script's imports
        "requirements": {"pip": ""},
        "diff": source.read_text(encoding="utf-8"),
    }


def _generate_events(task: Document, run: PastRun, learning_rate: float) -> Iterable[Document]:
    """Yield a log line, two losses and an accuracy per step, evenly spaced over the run."""
    arguments = {name: value["value"] for name, value in task["hyperparams"]["Args"].items()}
    start_timestamp = int(task["started"].timestamp() * 1000)
    duration_in_milliseconds = int(run.duration.total_seconds() * 1000)
    yield _build_log_event(task, start_timestamp, " ".join(f"{name}={value}" for name, value in arguments.items()))
    for step in range(run.steps):
        timestamp = start_timestamp + duration_in_milliseconds * (step + 1) // (run.steps + 1)
        train = 0.15 + 2.1 * math.exp(-step * math.sqrt(learning_rate) / 6) * (1 + 0.06 * math.sin(step * 1.7))
        validation = train + 0.12 + 0.001 * step
        accuracy = 1 / (1 + 0.5 * validation)
        for metric, variant, value in (
            ("loss", "train", train),
            ("loss", "validation", validation),
            ("accuracy", "validation", accuracy),
        ):
            yield {
                "type": SCALAR_EVENT,
                "task": task["id"],
                "timestamp": timestamp,
                "iter": step,
                "metric": metric,
                "variant": variant,
                "value": round(value, 5),
                "worker": WORKER,
            }
        yield _build_log_event(task, timestamp, f"step {step + 1}/{run.steps} loss={train:.4f}")
    yield _build_log_event(task, start_timestamp + duration_in_milliseconds, run.log_end)


def _build_log_event(task: Document, timestamp: int, text: str) -> Document:
    return {
        "type": "log",
        "level": "INFO",
        "task": task["id"],
        "timestamp": timestamp,
        "worker": WORKER,
        "msg": text,
    }
