"""Experiments added to the sandbox."""

from clearml_chatops.sandbox import Sandbox


def add_script(sandbox: Sandbox, name: str, script: str) -> str:
    """Add a Draft of Alice's that runs only this script. Return its id."""
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
