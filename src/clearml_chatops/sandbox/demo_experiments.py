"""The experiments that the demo starts with: a finished one to clone, and a few around it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import resources

from clearml_chatops.sandbox.documents import Document, stored
from clearml_chatops.sandbox.events import SCALAR, add_events
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
"""Value, type and description, as the SDK takes them from the script's argparse."""

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
class Past:
    """A run that lies behind."""

    name: str
    owner: User
    status: str
    ago: timedelta
    """How long ago it began."""
    lasted: timedelta
    steps: int
    reason: str = "worker execution done"
    arguments: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    last_lines: str = "done\nProcess completed successfully"


def add_demo_experiments(state: State, *, alice: User, bob: User) -> Document:
    """Fills the company for the demo.

    Returns:
        The task `baseline`: completed, Alice's, with arguments, container, loss curve, log and a script that
        a clearml-agent can run without installing anything.
    """
    project = state.add_project(PROJECT, user=alice.id, description="Image classification")
    baseline = _add(
        state,
        project["id"],
        Past(
            name="baseline",
            owner=alice,
            status="completed",
            ago=timedelta(days=2),
            lasted=timedelta(minutes=47),
            steps=60,
            tags=("reference",),
        ),
    )
    others = (
        Past(
            name="resnet50 wide",
            owner=alice,
            status="completed",
            ago=timedelta(days=1, hours=3),
            lasted=timedelta(hours=2, minutes=5),
            steps=90,
            arguments={"backbone": "resnet50", "lr": "0.05"},
            tags=("resnet50",),
        ),
        Past(
            name="resnet50 batch 256",
            owner=alice,
            status="failed",
            ago=timedelta(hours=20),
            lasted=timedelta(minutes=3),
            steps=4,
            reason="worker execution exit code 1",
            arguments={"backbone": "resnet50", "batch_size": "256"},
            tags=("resnet50",),
            last_lines=_OUT_OF_MEMORY,
        ),
        Past(
            name="high learning rate",
            owner=alice,
            status="stopped",
            ago=timedelta(hours=6),
            lasted=timedelta(minutes=11),
            steps=14,
            reason="task was stopped by tasks.stop",
            arguments={"lr": "3.0"},
            last_lines="User aborted: stopping task (1) stopped",
        ),
        Past(
            name="augmentation study",
            owner=bob,
            status="completed",
            ago=timedelta(hours=4),
            lasted=timedelta(minutes=52),
            steps=60,
            arguments={"gpus": "1", "batch_size": "64"},
            tags=("augmentation",),
        ),
    )
    for past in others:
        _add(state, project["id"], past, parent=baseline["id"])
    return baseline


def _add(state: State, project: str, past: Past, *, parent: str | None = None) -> Document:
    began = stored(state.now() - past.ago)
    ended = began + past.lasted
    moments: Document = {
        "created": began - timedelta(minutes=1),
        "started": began,
        "completed": ended,
        "status_changed": ended,
        "last_change": ended,
        "active_duration": int(past.lasted.total_seconds()),
    }
    if parent:
        moments["parent"] = parent
    task = state.add_task(
        past.name,
        user=past.owner.id,
        project=project,
        status=past.status,
        status_reason=past.reason,
        status_message=f"Changed by clearml-agent {WORKER}",
        tags=list(past.tags),
        hyperparams={"Args": _arguments(past.arguments)},
        container={
            "image": "nvcr.io/nvidia/pytorch:25.09-py3",
            "arguments": "--ipc=host -v /data:/data",
        },
        script=_script(),
        last_worker=WORKER,
        last_worker_report=ended,
        **moments,
    )
    rate = float(past.arguments.get("lr", _ARGUMENTS["lr"][0]))
    add_events(state, _reported(task, past, rate))
    # adding the events has moved it to now
    task["last_update"] = ended
    return task


def _arguments(changed: dict[str, str]) -> Document:
    return {
        name: {
            "section": "Args",
            "name": name,
            "value": changed.get(name, value),
            "type": kind,
            "description": description,
        }
        for name, (value, kind, description) in _ARGUMENTS.items()
    }


def _script() -> Document:
    """The script as the SDK stores one that stands in no repository: the whole file as uncommitted changes."""
    source = resources.files("clearml_chatops.sandbox").joinpath("demo", SCRIPT)
    return {
        "binary": "python3",
        "repository": "",
        "branch": "",
        "version_num": "",
        "entry_point": SCRIPT,
        "working_dir": ".",
        # an empty list of packages keeps the agent from looking for what the script imports
        "requirements": {"pip": ""},
        "diff": source.read_text(encoding="utf-8"),
    }


def _reported(task: Document, past: Past, rate: float) -> Iterable[Document]:
    """A log line, two losses and an accuracy a step, at even distances over the run."""
    arguments = {name: value["value"] for name, value in task["hyperparams"]["Args"].items()}
    first = int(task["started"].timestamp() * 1000)
    length = int(past.lasted.total_seconds() * 1000)
    yield _line(task, first, " ".join(f"{name}={value}" for name, value in arguments.items()))
    for step in range(past.steps):
        moment = first + length * (step + 1) // (past.steps + 1)
        train = 0.15 + 2.1 * math.exp(-step * math.sqrt(rate) / 6) * (1 + 0.06 * math.sin(step * 1.7))
        validation = train + 0.12 + 0.001 * step
        accuracy = 1 / (1 + 0.5 * validation)
        for metric, variant, value in (
            ("loss", "train", train),
            ("loss", "validation", validation),
            ("accuracy", "validation", accuracy),
        ):
            yield {
                "type": SCALAR,
                "task": task["id"],
                "timestamp": moment,
                "iter": step,
                "metric": metric,
                "variant": variant,
                "value": round(value, 5),
                "worker": WORKER,
            }
        yield _line(task, moment, f"step {step + 1}/{past.steps} loss={train:.4f}")
    yield _line(task, first + length, past.last_lines)


def _line(task: Document, moment: int, text: str) -> Document:
    return {
        "type": "log",
        "level": "INFO",
        "task": task["id"],
        "timestamp": moment,
        "worker": WORKER,
        "msg": text,
    }
