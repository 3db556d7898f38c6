"""The real ClearML SDK, run in a separate process against the sandbox."""

import json
import sys
from pathlib import Path
from typing import Any

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.events import hash_name

from .support import Client, run_command

_CLONE_SCRIPT = """
import json, sys
from clearml import Task

source = Task.get_task(task_id=sys.argv[1])
clone = Task.clone(source_task=source, name="from the SDK")
clone.set_parameter("Args/gpus", "1,2")
clone.set_base_docker(docker_image="nvcr.io/x:1", docker_arguments="-v /data:/data --user 1000")
Task.enqueue(clone, queue_name=sys.argv[2])
found = Task.get_tasks(project_name="vision", task_name="from the SDK")
queued = Task.query_tasks(project_name="vision", task_filter={"status": ["queued"]})
print("RESULT", json.dumps({
    "clone": clone.id,
    "found": [task.id for task in found],
    "queued": queued,
    "parameters": clone.get_parameters(),
    "source_iteration": source.get_last_iteration(),
    "source_loss": source.get_last_scalar_metrics()["loss"]["train"]["last"],
    "reported": len(source.get_reported_scalars()["loss"]["train"]["x"]),
}))
"""

_NEW_RUN_SCRIPT = """
import argparse, json
from clearml import Task

task = Task.init(project_name="research/new", task_name="own run", auto_connect_frameworks=False,
                 auto_resource_monitoring=False)
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1, help="learning rate")
parser.parse_args([])
task.add_tags(["fresh"])
for step in range(4):
    task.get_logger().report_scalar("loss", "train", iteration=step, value=1 / (step + 1))
print("a line of the run")
task.close()
finished = Task.get_task(task_id=task.id)
print("RESULT", json.dumps({"task": finished.id, "iteration": finished.get_last_iteration()}))
"""

_CREATE_TASK_SCRIPT = """
import json
from clearml import Task

task = Task.create(project_name="research", task_name="made", script="job.py", working_directory=".",
                   packages=[], docker="python:3.11", argparse_args=[("lr", "0.2")])
print("RESULT", json.dumps({"task": task.id}))
"""


async def run_script(environment: dict[str, str], folder: Path, script: str, *arguments: str) -> Any:
    """Run the script and return the result that it printed."""
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    status, output = await run_command(environment, sys.executable, str(path), *arguments, folder=folder)
    assert status == 0, output
    return next(json.loads(line[7:]) for line in output.splitlines() if line.startswith("RESULT "))


async def test_sdk_clones_changes_and_enqueues_an_experiment(
    live_sandbox: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    state = live_sandbox.state
    source = add_demo_experiments(state, alice=live_sandbox.alice, bob=live_sandbox.bob)
    queue = state.add_queue("alice_queue")

    printed = await run_script(environment, tmp_path, _CLONE_SCRIPT, source["id"], "alice_queue")

    clone = state.tasks[printed["clone"]]
    assert (clone["name"], clone["status"], clone["parent"]) == ("from the SDK", "queued", source["id"])
    assert clone["hyperparams"]["Args"]["gpus"]["value"] == "1,2"
    assert clone["hyperparams"]["Args"]["lr"]["value"] == "0.1"
    assert clone["container"]["image"] == "nvcr.io/x:1"
    assert clone["container"]["arguments"] == "-v /data:/data --user 1000"
    assert [entry["task"] for entry in queue["entries"]] == [clone["id"]]
    assert printed["found"] == [clone["id"]]
    assert printed["queued"] == [clone["id"]]
    assert printed["parameters"]["Args/gpus"] == "1,2"
    assert printed["source_iteration"] == 59
    assert printed["source_loss"] == source["last_metrics"][hash_name("loss")][hash_name("train")]["value"]
    assert printed["reported"] == 60
    assert live_sandbox.requests.find_by_endpoint("tasks.clone")[0].user == "Alice Adams"


async def test_sdk_run_is_recorded(
    live_sandbox: Sandbox, live_client: Client, environment: dict[str, str], tmp_path: Path
) -> None:
    printed = await run_script(environment, tmp_path, _NEW_RUN_SCRIPT)

    task = live_sandbox.state.tasks[printed["task"]]
    assert (task["name"], task["status"], task["tags"]) == ("own run", "completed", ["fresh"])
    assert live_sandbox.state.projects[task["project"]]["name"] == "research/new"
    assert task["hyperparams"]["Args"]["lr"] == {
        "section": "Args",
        "name": "lr",
        "value": "0.1",
        "type": "float",
        "description": "learning rate",
    }
    assert printed["iteration"] == 3
    curves = await live_client.call_for_data("events.scalar_metrics_iter_histogram", task=task["id"])
    assert curves["loss"]["train"]["x"] == [0, 1, 2, 3]
    log = await live_client.call_for_data("events.get_task_log", task=task["id"])
    assert "a line of the run" in "".join(event["msg"] for event in log["events"])


async def test_sdk_creates_a_task_from_a_script(
    live_sandbox: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "job.py").write_text("print('working')\n", encoding="utf-8")

    printed = await run_script(environment, tmp_path, _CREATE_TASK_SCRIPT)

    task = live_sandbox.state.tasks[printed["task"]]
    assert (task["name"], task["status"]) == ("made", "created")
    assert "print('working')" in task["script"]["diff"]
    assert task["container"]["image"] == "python:3.11"
    assert task["hyperparams"]["Args"]["lr"]["value"] == "0.2"
