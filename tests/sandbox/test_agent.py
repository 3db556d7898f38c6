"""The real clearml-agent, which takes tasks from the sandbox's queues and runs them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments

from .support import AGENT_EXECUTABLE, Client, run_command, wait_until

_SLOW_SCRIPT = "import time\nprint('working', flush=True)\ntime.sleep(600)\n"
_FAILING_SCRIPT = "print('about to fail', flush=True)\nraise ValueError('no such file: data.csv')\n"


@dataclass
class Agent:
    """A detached agent that listens to one queue, started like the bot's agents."""

    sandbox: Sandbox
    client: Client
    environment: dict[str, str]
    folder: Path
    queue: str
    worker: str = "box:alice_queue:gpunone"

    async def start(self) -> None:
        environment = {**self.environment, "CLEARML_WORKER_ID": self.worker}
        status, output = await run_command(
            environment,
            AGENT_EXECUTABLE,
            "daemon",
            "--queue",
            self.queue,
            "--detached",
            "--cpu-only",
            folder=self.folder,
        )
        assert status == 0, output

    async def stop(self, worker: str | None = None) -> tuple[int, str]:
        return await run_command(
            self.environment, AGENT_EXECUTABLE, "daemon", "--stop", worker or self.worker, folder=self.folder
        )

    async def enqueue(self, task: str) -> dict[str, Any]:
        await self.client.call_for_data("tasks.enqueue", task=task, queue=self.queue)
        return self.sandbox.state.tasks[task]

    async def enqueue_script(self, text: str) -> dict[str, Any]:
        script = {
            "binary": "python3",
            "repository": "",
            "entry_point": "job.py",
            "working_dir": ".",
            "diff": text,
            "requirements": {"pip": ""},
        }
        created = await self.client.call_for_data("tasks.create", name="a script", type="training", script=script)
        return await self.enqueue(created["id"])

    def read_log(self, task: dict[str, Any]) -> str:
        events = self.sandbox.state.events.get(task["id"])
        return "".join(event["msg"] for event in events.log) if events else ""


@pytest.fixture
async def agent(
    live_sandbox: Sandbox, live_client: Client, environment: dict[str, str], tmp_path: Path
) -> AsyncIterator[Agent]:
    queue = live_sandbox.state.add_queue("alice_queue")["id"]
    started = Agent(live_sandbox, live_client, environment, tmp_path, queue)
    await started.start()
    yield started
    await started.stop()
    assert not [path.name for path in (tmp_path / "tmp").iterdir() if path.name.startswith(".clearmlagent_")]


async def test_agent_runs_a_script_with_changed_arguments(agent: Agent) -> None:
    sandbox = agent.sandbox
    source = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    arguments = {
        name: {"section": "Args", "name": name, "value": value}
        for name, value in {"gpus": "1,2", "lr": "0.05", "epochs": "2"}.items()
    }
    clone = await agent.client.call_for_data(
        "tasks.clone",
        task=source["id"],
        new_task_name="on other GPUs",
        new_task_hyperparams={"Args": arguments},
    )

    task = await agent.enqueue(clone["id"])
    await wait_until(lambda: task["status"] != "queued", "the agent takes the task")
    await wait_until(lambda: task["status"] != "in_progress", "the run ends")

    assert (task["status"], task["status_reason"]) == ("completed", "worker execution done")
    assert "gpus=1,2 lr=0.05 epochs=2" in agent.read_log(task)
    assert task["last_worker"] == agent.worker
    assert task["last_iteration"] == 1
    assert {request.status for request in sandbox.requests} <= {200, 404}
    assert {request.endpoint for request in sandbox.requests if request.status == 404} <= {
        "workers.get_runtime_properties"
    }


async def test_aborting_a_running_task_ends_its_process(agent: Agent) -> None:
    task = await agent.enqueue_script(_SLOW_SCRIPT)
    await wait_until(lambda: "working" in agent.read_log(task), "the script works")

    answer = await agent.client.call_for_data("tasks.stop", task=task["id"])
    assert (answer["fields"]["status"], answer["fields"]["status_message"]) == ("in_progress", "stopping")
    await wait_until(lambda: task["status"] != "in_progress", "the agent stops the run")

    assert (task["status"], task["status_reason"]) == ("stopped", "task was stopped by tasks.stop")
    assert "User aborted" in agent.read_log(task)


async def test_a_failing_script_fails_the_task(agent: Agent) -> None:
    task = await agent.enqueue_script(_FAILING_SCRIPT)
    await wait_until(lambda: task["status"] in {"failed", "completed"}, "the run ends")

    assert (task["status"], task["status_reason"]) == ("failed", "worker execution exit code 1")
    assert "ValueError: no such file: data.csv" in agent.read_log(task)


async def test_agent_stops_only_by_its_exact_worker_id(agent: Agent) -> None:
    listed = await agent.client.call_for_data("workers.get_all", last_seen=600)
    assert [worker["id"] for worker in listed["workers"]] == [agent.worker]
    assert [queue["name"] for queue in listed["workers"][0]["queues"]] == ["alice_queue"]

    status, _ = await agent.stop("box:alice_queue")
    assert status == 1
    assert (await agent.client.call_for_data("workers.get_all", last_seen=600))["workers"]

    status, output = await agent.stop()
    assert status == 0, output
    assert (await agent.client.call_for_data("workers.get_all", last_seen=600))["workers"] == []
