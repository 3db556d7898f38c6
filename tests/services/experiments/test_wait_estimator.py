"""Estimated waits in a queue, and the requests that they need."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from clearml_chatops.handlers.formatting import format_wait
from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.services.experiments.wait_estimator import WaitEstimator
from tests.sandbox.support import Client
from tests.support.program import RunningProgram


@dataclass
class Lab:
    """A queue with workers and a project with finished runs."""

    program: RunningProgram
    agent: Client
    queue: str
    project: str
    now: datetime
    workers: dict[str, str] = field(default_factory=dict)
    """The id of the experiment that each worker runs."""

    def __post_init__(self) -> None:
        self.estimator = WaitEstimator(clearml=self.program.program.process.clearml.bot, clock=lambda: self.now)

    def add_finished_run(
        self, name: str, minutes: float, *, parent: str = "", status: str = "completed"
    ) -> Document:
        """Add a run that ended earlier."""
        started = self.now - timedelta(days=1)
        completed = started + timedelta(minutes=minutes)
        return self._add_task(
            name,
            status,
            parent,
            started=truncate_to_milliseconds(started),
            completed=truncate_to_milliseconds(completed),
            last_iteration=100,
        )

    def add_running_run(
        self, name: str, worker: str, *, minutes: float, parent: str = "", iteration: int = 0
    ) -> None:
        started = truncate_to_milliseconds(self.now - timedelta(minutes=minutes))
        task = self._add_task(name, "in_progress", parent, started=started, last_iteration=iteration)
        self.workers[worker] = task["id"]

    async def enqueue(self, *names: str, parent: str = "") -> list[str]:
        """Enqueue new experiments and return their ids in order."""
        ids = []
        for name in names:
            task = self._add_task(name, "created", parent)
            await self.agent.call_for_data("tasks.enqueue", task=task["id"], queue=self.queue)
            ids.append(task["id"])
        return ids

    async def register_workers(self, *names: str) -> None:
        for name in names:
            await self.agent.call_for_data("workers.register", worker=name, queues=[self.queue])
        for name, task in self.workers.items():
            await self.agent.call_for_data(
                "workers.status_report", worker=name, task=task, queues=[self.queue], timestamp=1
            )

    async def read_waits(self) -> list[str]:
        """Return how long each experiment waits, in the order of the queue."""
        queue = await self.program.program.process.clearml.bot.get_queue(self.queue)
        assert queue
        found = await self.estimator.estimate([queue])
        return [format_wait(found[entry.experiment_id]) for entry in queue.entries]

    async def list_requests(self) -> list[str]:
        """Return the requests of an estimate, without the one for the queue itself."""
        self.program.sandbox.requests.clear()
        await self.read_waits()
        return self.program.sandbox.requests.list_endpoints()[1:]

    def _add_task(self, name: str, status: str, parent: str, **values: object) -> Document:
        parent_fields = {"parent": parent} if parent else {}
        return self.program.sandbox.state.add_task(
            name,
            user=self.program.sandbox.alice.id,
            project=self.project,
            status=status,
            **parent_fields,
            **values,
        )


@pytest.fixture
async def lab(program: RunningProgram, sandbox: Sandbox) -> AsyncIterator[Lab]:
    project = sandbox.state.add_project("vision", user=sandbox.alice.id)
    async with aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        queue = await agent.call_for_data("queues.create", name="night")
        yield Lab(program, agent, queue["id"], project["id"], datetime.now(UTC).replace(microsecond=0))


async def test_no_worker_listens(lab: Lab) -> None:
    await lab.enqueue("first", "second")
    assert await lab.read_waits() == ["no worker listens"] * 2
    assert await lab.list_requests() == []


async def test_an_idle_worker_takes_the_first_soon_and_the_second_is_estimated_by_its_parent(lab: Lab) -> None:
    parent = lab.add_finished_run("baseline", 40)
    lab.add_finished_run("other", 999)
    await lab.enqueue("first", "second", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["starts soon", "starts in about 30–50 min"]


async def test_without_completed_ancestors_the_projects_runs_count(lab: Lab) -> None:
    parent = lab.add_finished_run("broken", 2, status="failed")
    for number in range(5):
        lab.add_finished_run(f"run {number}", 40)
    await lab.enqueue("first", "second", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["starts soon", "starts in about 30–50 min"]


async def test_a_grandparent_counts_if_the_parent_was_never_completed(lab: Lab) -> None:
    parent = lab.add_finished_run("broken", 2, status="failed", parent=lab.add_finished_run("baseline", 40)["id"])
    lab.add_finished_run("other", 999)
    await lab.enqueue("first", "second", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["starts soon", "starts in about 30–50 min"]


async def test_without_earlier_runs_the_wait_is_unknown(lab: Lab) -> None:
    lab.add_running_run("running", "lab:night:gpu0", minutes=10)
    await lab.enqueue("first")
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["wait unknown"]


async def test_a_running_run_is_estimated_by_its_iterations(lab: Lab) -> None:
    parent = lab.add_finished_run("baseline", 300)
    lab.add_running_run("running", "lab:night:gpu0", minutes=30, parent=parent["id"], iteration=50)
    await lab.enqueue("first", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["starts in about 20–40 min"]


async def test_two_workers_halve_the_wait(lab: Lab) -> None:
    parent = lab.add_finished_run("baseline", 40)
    for worker, minutes in (("lab:night:gpu0", 10), ("lab:night:gpu1", 20)):
        lab.add_running_run(worker, worker, minutes=minutes, parent=parent["id"])
    await lab.enqueue("first", "second", "third", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0", "lab:night:gpu1")
    assert await lab.read_waits() == [
        "starts in about 10–30 min",
        "starts in about 20–40 min",
        "starts in about 40–80 min",
    ]


async def test_a_run_beyond_its_estimate_gives_a_wide_range(lab: Lab) -> None:
    parent = lab.add_finished_run("baseline", 40)
    lab.add_running_run("running", "lab:night:gpu0", minutes=90, parent=parent["id"])
    await lab.enqueue("first", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["starts within about 40 min"]


@pytest.mark.parametrize("service", ["lab:night:services", "agent"])
async def test_services_start_at_once(lab: Lab, service: str) -> None:
    await lab.enqueue("first", "second")
    if service == "agent":
        lab.add_running_run("running", "agent:service:0123", minutes=90)
    await lab.register_workers(service)
    assert await lab.read_waits() == ["starts soon", "starts soon"]


async def test_an_estimate_costs_few_requests_and_none_within_a_minute(lab: Lab) -> None:
    parent = lab.add_finished_run(
        "baseline", 40, status="failed", parent=lab.add_finished_run("first of all", 3, status="failed")["id"]
    )
    lab.add_running_run("running", "lab:night:gpu0", minutes=90, parent=parent["id"])
    await lab.enqueue(*(f"run {number}" for number in range(30)), parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    assert await lab.list_requests() == ["workers.get_all", *["tasks.get_all_ex"] * 4]
    assert await lab.list_requests() == []
    await lab.enqueue("one more")
    assert await lab.list_requests() == ["tasks.get_all_ex"]
    lab.now += timedelta(minutes=1)
    assert len(await lab.list_requests()) == 5


async def test_a_new_worker_counts_at_once(lab: Lab) -> None:
    lab.add_running_run("running", "lab:night:gpu0", minutes=10)
    await lab.enqueue("first")
    await lab.register_workers("lab:night:gpu0")
    assert await lab.read_waits() == ["wait unknown"]
    await lab.register_workers("lab:night:gpu1")
    assert await lab.read_waits() == ["starts soon"]


async def test_the_wait_is_unknown_if_clearml_does_not_respond(lab: Lab) -> None:
    await lab.enqueue("first")
    await lab.register_workers("lab:night:gpu0")
    queue = await lab.program.program.process.clearml.bot.get_queue(lab.queue)
    assert queue
    await lab.program.sandbox.aclose()
    assert list((await lab.estimator.estimate([queue])).values()) == [WaitEstimate()]


async def test_the_queue_and_the_card_show_the_wait(lab: Lab) -> None:
    parent = lab.add_finished_run("baseline", 40)
    await lab.enqueue("first", "second", parent=parent["id"])
    await lab.register_workers("lab:night:gpu0")
    text = await lab.program.ask("/queue queue=night")
    assert "soon" in text
    assert "about 30–50 min" in text
