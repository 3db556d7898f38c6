"""What is asked of ClearML to say how long something waits, and what is made of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from clearml_chatops.handlers.wording import shown_wait
from clearml_chatops.models.queues import WaitEstimate
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document, stored
from clearml_chatops.services.experiments.waits import WaitEstimates
from tests.sandbox.support import Client
from tests.support.program import RunningProgram


@dataclass
class Lab:
    """A queue with workers and a project with a past."""

    program: RunningProgram
    agent: Client
    queue: str
    project: str
    now: datetime
    workers: dict[str, str] = field(default_factory=dict)
    """What each runs."""

    def __post_init__(self) -> None:
        self.waits = WaitEstimates(clearml=self.program.program.process.clearml.bot, clock=lambda: self.now)

    def ran(self, name: str, minutes: float, *, parent: str = "", status: str = "completed") -> Document:
        """A run that lies behind."""
        began = self.now - timedelta(days=1)
        ended = began + timedelta(minutes=minutes)
        return self._add(name, status, parent, started=stored(began), completed=stored(ended), last_iteration=100)

    def runs(self, name: str, worker: str, *, minutes: float, parent: str = "", iteration: int = 0) -> None:
        began = stored(self.now - timedelta(minutes=minutes))
        task = self._add(name, "in_progress", parent, started=began, last_iteration=iteration)
        self.workers[worker] = task["id"]

    async def waiting(self, *names: str, parent: str = "") -> list[str]:
        """Experiments that wait in the queue, as ids in their order."""
        ids = []
        for name in names:
            task = self._add(name, "created", parent)
            await self.agent.data("tasks.enqueue", task=task["id"], queue=self.queue)
            ids.append(task["id"])
        return ids

    async def listen(self, *names: str) -> None:
        for name in names:
            await self.agent.data("workers.register", worker=name, queues=[self.queue])
        for name, task in self.workers.items():
            await self.agent.data(
                "workers.status_report", worker=name, task=task, queues=[self.queue], timestamp=1
            )

    async def shown(self) -> list[str]:
        """How long each waits, in the queue's order."""
        queue = await self.program.program.process.clearml.bot.queue(self.queue)
        assert queue
        found = await self.waits.of([queue])
        return [shown_wait(found[entry.experiment_id]) for entry in queue.entries]

    async def requests(self) -> list[str]:
        """What a look asks beside the queue itself."""
        self.program.sandbox.requests.clear()
        await self.shown()
        return self.program.sandbox.requests.names()[1:]

    def _add(self, name: str, status: str, parent: str, **values: object) -> Document:
        more = {"parent": parent} if parent else {}
        return self.program.sandbox.state.add_task(
            name, user=self.program.sandbox.alice.id, project=self.project, status=status, **more, **values
        )


@pytest.fixture
async def lab(program: RunningProgram, sandbox: Sandbox) -> AsyncIterator[Lab]:
    project = sandbox.state.add_project("vision", user=sandbox.alice.id)
    async with aiohttp.ClientSession() as session:
        agent = Client(sandbox, session, sandbox.alice)
        queue = await agent.data("queues.create", name="night")
        yield Lab(program, agent, queue["id"], project["id"], datetime.now(UTC).replace(microsecond=0))


async def test_nobody_listens(lab: Lab) -> None:
    await lab.waiting("first", "second")
    assert await lab.shown() == ["no worker listens"] * 2
    assert await lab.requests() == []


async def test_an_idle_worker_takes_the_first_soon_and_by_its_parent_the_second_is_estimated(lab: Lab) -> None:
    parent = lab.ran("baseline", 40)
    lab.ran("other", 999)
    await lab.waiting("first", "second", parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["soon", "about 30–50 min"]


async def test_without_completed_ancestors_the_project_tells(lab: Lab) -> None:
    parent = lab.ran("broken", 2, status="failed")
    for number in range(5):
        lab.ran(f"run {number}", 40)
    await lab.waiting("first", "second", parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["soon", "about 30–50 min"]


async def test_a_grandparent_counts_where_the_parent_was_never_completed(lab: Lab) -> None:
    parent = lab.ran("broken", 2, status="failed", parent=lab.ran("baseline", 40)["id"])
    lab.ran("other", 999)
    await lab.waiting("first", "second", parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["soon", "about 30–50 min"]


async def test_without_a_past_it_is_unknown(lab: Lab) -> None:
    lab.runs("running", "lab:night:gpu0", minutes=10)
    await lab.waiting("first")
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["wait unknown"]


async def test_what_runs_is_estimated_by_its_iterations(lab: Lab) -> None:
    parent = lab.ran("baseline", 300)
    lab.runs("running", "lab:night:gpu0", minutes=30, parent=parent["id"], iteration=50)
    await lab.waiting("first", parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["about 20–40 min"]


async def test_two_workers_halve_the_wait(lab: Lab) -> None:
    parent = lab.ran("baseline", 40)
    for worker, minutes in (("lab:night:gpu0", 10), ("lab:night:gpu1", 20)):
        lab.runs(worker, worker, minutes=minutes, parent=parent["id"])
    await lab.waiting("first", "second", "third", parent=parent["id"])
    await lab.listen("lab:night:gpu0", "lab:night:gpu1")
    assert await lab.shown() == ["about 10–30 min", "about 20–40 min", "about 40–80 min"]


async def test_beyond_its_estimate_it_is_soon_or_later(lab: Lab) -> None:
    parent = lab.ran("baseline", 40)
    lab.runs("running", "lab:night:gpu0", minutes=90, parent=parent["id"])
    await lab.waiting("first", parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["soon, or within about 40 min"]


@pytest.mark.parametrize("service", ["lab:night:services", "agent"])
async def test_services_begin_at_once(lab: Lab, service: str) -> None:
    await lab.waiting("first", "second")
    if service == "agent":
        lab.runs("running", "agent:service:0123", minutes=90)
    await lab.listen(service)
    assert await lab.shown() == ["soon", "soon"]


async def test_a_look_costs_few_requests_and_within_a_minute_none(lab: Lab) -> None:
    parent = lab.ran("baseline", 40, status="failed", parent=lab.ran("first of all", 3, status="failed")["id"])
    lab.runs("running", "lab:night:gpu0", minutes=90, parent=parent["id"])
    await lab.waiting(*(f"run {number}" for number in range(30)), parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    assert await lab.requests() == ["workers.get_all", *["tasks.get_all_ex"] * 4]
    assert await lab.requests() == []
    await lab.waiting("one more")
    assert await lab.requests() == ["tasks.get_all_ex"]
    lab.now += timedelta(minutes=1)
    assert len(await lab.requests()) == 5


async def test_a_new_worker_counts_at_once(lab: Lab) -> None:
    lab.runs("running", "lab:night:gpu0", minutes=10)
    await lab.waiting("first")
    await lab.listen("lab:night:gpu0")
    assert await lab.shown() == ["wait unknown"]
    await lab.listen("lab:night:gpu1")
    assert await lab.shown() == ["soon"]


async def test_where_clearml_does_not_answer_it_is_unknown(lab: Lab) -> None:
    await lab.waiting("first")
    await lab.listen("lab:night:gpu0")
    queue = await lab.program.program.process.clearml.bot.queue(lab.queue)
    assert queue
    await lab.program.sandbox.aclose()
    assert list((await lab.waits.of([queue])).values()) == [WaitEstimate()]


async def test_the_queue_and_the_card_show_it(lab: Lab) -> None:
    parent = lab.ran("baseline", 40)
    await lab.waiting("first", "second", parent=parent["id"])
    await lab.listen("lab:night:gpu0")
    shown = await lab.program.ask("/queue queue=night")
    assert "soon" in shown
    assert "about 30–50 min" in shown
