"""Adding experiments to the sandbox."""

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.events import add_events


def add_script(sandbox: Sandbox, name: str, script: str) -> str:
    """Add a Draft of Alice with a script as its only code; return its id."""
    task = sandbox.state.add_task(
        name,
        user=sandbox.alice.id,
        script={
            "binary": "python3",
            "repository": "",
            "entry_point": "script.py",
            "working_dir": ".",
            "requirements": {"pip": ""},
            "diff": script,
        },
    )
    return str(task["id"])


def add_log(sandbox: Sandbox, task: Document, *lines: str) -> None:
    """Add lines to the end of an experiment's log."""
    add_events(sandbox.state, ({"type": "log", "task": task["id"], "msg": line} for line in lines))


def add_failed_run(
    sandbox: Sandbox, *lines: str, worker: str, queue: str = "", container: str = "", **values: str
) -> Document:
    """Add a failed run of Alice's with this log, container arguments and `Args` parameters."""
    task = sandbox.state.add_task(
        "failed run",
        user=sandbox.alice.id,
        status="failed",
        last_worker=worker,
        container={"image": "python:3.12", "arguments": container},
        hyperparams={
            "Args": {name: {"section": "Args", "name": name, "value": value} for name, value in values.items()}
        },
        script={"binary": "python3", "entry_point": "script.py", "working_dir": ".", "diff": "print()"},
    )
    task["execution"]["queue"] = queue
    add_log(sandbox, task, *lines)
    return task
