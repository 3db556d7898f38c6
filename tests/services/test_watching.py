"""The watcher: what people are told of their experiments, once each, whatever happens in between."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import Arrived
from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services import watching
from clearml_chatops.services.failure_triage import FailureTriage
from clearml_chatops.services.notifications import NotificationService
from clearml_chatops.services.watching import OVERLAP, PAGE_SIZE, WORKER_GRACE, Watcher
from clearml_chatops.storage.schema import WatcherCursorRow
from clearml_chatops.storage.states import WatcherStore
from clearml_chatops.storage.told import ToldFile
from tests.sandbox.support import Client
from tests.support.many import add_pending, watch_all
from tests.support.program import RunningProgram, plain_text, running_program

WORKER = "lab:alice_queue:gpu0"


class Clock:
    """A clock that begins now and goes on only when told to: the server's and the watcher's."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class World:
    """A server whose time stands still, a program on it, and an agent that does what it is told."""

    clock: Clock
    sandbox: Sandbox
    program: RunningProgram
    agent: Client
    watcher: Watcher

    async def look(self, *, later: float = 1) -> list[str]:
        """What a look of the watcher has the person told, in order."""
        self.clock.advance(later)
        await self.watcher.look()
        return await self.delivered()

    async def delivered(self) -> list[str]:
        process = self.program.program.process
        service = NotificationService(
            database=process.database,
            told=ToldFile(process.told_file),
            triage=FailureTriage(process.clearml.bot, patience=timedelta(minutes=1)),
            clock=self.clock,
        )
        heard: list[str] = []

        async def send(_conversation: Conversation, reply: Reply, arrived: Arrived) -> None:
            heard.append(plain_text(reply).partition("\n[")[0])
            await arrived()

        await Delivery(
            notifications=service,
            platform=self.program.conversation.platform,
            conversation_id=self.program.conversation.id,
            send=send,
        ).deliver_due()
        return heard

    async def enqueued(self, name: str = "two cards") -> Document:
        """A clone of the baseline that waits in Alice's queue."""
        reply = await self.program.say(f"/rerun baseline {name}")
        return self.sandbox.state.tasks[reply.experiment_id]

    async def start(self, task: Document, *, worker: str = WORKER) -> None:
        await self.agent.data("queues.get_next_task", queue=task["execution"]["queue"])
        await self.agent.data("tasks.started", task=task["id"], force=True, status_message="pulled by agent")
        if worker:
            await self.report(task, worker)

    async def report(self, task: Document, worker: str = WORKER) -> None:
        timestamp = self.clock().timestamp() * 1000
        await self.agent.data("workers.status_report", worker=worker, timestamp=timestamp, task=task["id"])

    async def end(self, task: Document, how: str, *lines: str, by_agent: bool = False) -> None:
        """Lets a run end as `completed`, `failed` or `stopped`, with these lines in its log."""
        for number, line in enumerate(lines):
            timestamp = int(self.clock().timestamp() * 1000) + number
            await self.agent.data(
                "events.add",
                type="log",
                level="INFO",
                task=task["id"],
                msg=line,
                timestamp=timestamp,
                worker=WORKER,
            )
        message = f"Changed by clearml-agent {WORKER}" if by_agent else ""
        await self.agent.data(f"tasks.{how}", task=task["id"], status_message=message)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Begun: the watcher has looked for the first time."""
    clock = Clock()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(now=clock))
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        program = await stack.enter_async_context(running_program(sandbox, tmp_path))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        world = World(clock, sandbox, program, Client(sandbox, session, sandbox.alice), watcher_of(program, clock))
        await program.ask("/queue create")
        await world.look()
        yield world


def watcher_of(program: RunningProgram, clock: Clock) -> Watcher:
    process = replace(program.program.process, clock=clock)
    return process.watcher


def verify(told: list[str], *expected: tuple[str, ...]) -> None:
    """Fails unless exactly these were told, each with these parts in it."""
    assert len(told) == len(expected), told
    for text, parts in zip(told, expected, strict=True):
        assert not [part for part in parts if part not in text], text


# ── What is told ──────────────────────────────────────────────────────────────────────────────────


async def test_a_run_is_told_when_it_begins_and_when_it_ends(world: World) -> None:
    task = await world.enqueued()
    assert await world.look() == []
    world.clock.advance(90)
    await world.start(task)
    verify(await world.look(), ("two cards", "left Pending", "1 min 31 s", WORKER))
    world.clock.advance(600)
    await world.end(task, "completed")
    verify(await world.look(), ("two cards", "Completed", "10 min 1 s"))
    assert await world.look() == []


async def test_a_failure_is_told_with_the_last_lines_of_the_log(world: World) -> None:
    task = await world.enqueued()
    await world.start(task)
    await world.look()
    world.clock.advance(60)
    await world.end(task, "failed", *(f"step {number}" for number in range(20)), "CUDA out of memory")
    told = await world.look()
    verify(told, ("two cards", "Failed", "1 min 1 s"))
    assert "memory did not suffice" in told[0].splitlines()[1]
    assert told[0].splitlines()[2:] == [*(f"step {number}" for number in range(13, 20)), "CUDA out of memory"]


async def test_an_abort_by_another_is_told_of_what_runs_and_of_what_waits(world: World) -> None:
    running, waiting = await world.enqueued("running one"), await world.enqueued("waiting one")
    await world.start(running)
    await world.look()
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.data("tasks.stop", task=running["id"])
    await world.look()
    await world.end(running, "stopped", by_agent=True)
    await bob.data("tasks.stop", task=waiting["id"])
    verify(sorted(await world.look()), ("running one", "Aborted", "2 s"), ("waiting one", "Aborted"))


async def test_what_one_does_oneself_is_not_announced(world: World) -> None:
    first, second = await world.enqueued("first"), await world.enqueued("second")
    await world.start(first)
    await world.look()
    await world.agent.data("tasks.stop", task=first["id"])
    assert await world.look() == []
    await world.end(first, "stopped", by_agent=True)
    assert await world.look() == [], "she asked for it in the web UI"
    await world.program.ask("/abort second")
    assert await world.look() == []
    await world.program.ask(f"/retry {second['id']}")
    await world.program.ask(f"/dequeue {second['id']}")
    await world.program.ask(f"/reset {first['id']} --yes")
    assert await world.look() == []


async def test_what_another_person_does_is_told_with_his_name(world: World) -> None:
    bob = await world.program.introduce(world.sandbox.bob, Role.ADMIN)
    task = await world.enqueued()
    bobs = World(world.clock, world.sandbox, bob, world.agent, world.watcher)
    for line, sentence in (
        (f"/dequeue {task['id']}", "taken out of its queue by Bob Brown"),
        (f"/enqueue {task['id']} queue=alice_queue", "enqueued by Bob Brown"),
        (f"/abort {task['id']}", "Aborted by Bob Brown"),
        (f"/reset {task['id']} --yes", "made a Draft again by Bob Brown"),
    ):
        await bob.ask(line)
        # Commands go by the program's own clock, which must not be ahead of this one.
        verify(await world.look(later=60), ("two cards", sentence))
        assert await bobs.delivered() == [], line


async def test_what_another_person_does_in_the_web_ui_is_told_with_his_name(world: World) -> None:
    await world.program.introduce(world.sandbox.bob, Role.MEMBER)
    task = await world.enqueued()
    await world.look()
    bob = world.agent.acting_as(world.sandbox.bob)
    await bob.data("tasks.dequeue", task=task["id"])
    verify(await world.look(), ("taken out of its queue by Bob Brown",))
    await bob.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    verify(await world.look(), ("enqueued by Bob Brown",))


async def test_what_is_deleted_while_it_waits_is_told_once(world: World) -> None:
    task, other = await world.enqueued(), await world.enqueued("other")
    await world.agent.acting_as(world.sandbox.bob).data("tasks.delete", task=task["id"], force=True)
    assert await world.watcher.look_for_deleted() == 1
    verify(await world.delivered(), ("two cards", "deleted"))
    assert await world.watcher.look_for_deleted() == 0
    await world.start(other)
    verify(await world.look(), ("other", "left Pending"))


async def test_all_that_happened_between_two_looks_is_told_in_order(world: World) -> None:
    task = await world.enqueued()
    world.clock.advance(20)
    await world.start(task)
    world.clock.advance(5)
    await world.end(task, "failed", "boom")
    told = await world.look()
    verify(told, ("left Pending", "20 s", WORKER, "Failed", "5 s", "boom"))
    assert told[0].index("left Pending") < told[0].index("Failed"), "one message"


async def test_a_run_that_is_retried_is_told_again(world: World) -> None:
    """ClearML keeps the time of the first start over a retry."""
    task = await world.enqueued()
    await world.start(task)
    await world.end(task, "failed")
    verify(await world.look(), ("left Pending", "Failed"))
    world.clock.advance(60)
    await world.program.ask(f"/retry {task['id']}")
    assert await world.look() == []
    world.clock.advance(30)
    await world.start(task)
    verify(await world.look(), ("left Pending", "31 s", WORKER))
    world.clock.advance(30)
    await world.end(task, "completed")
    verify(await world.look(), ("Completed",))


async def test_the_several_settings_to_running_are_one_start(world: World) -> None:
    """Agent and SDK set the status four or five times in a run, each with a new time of change."""
    task = await world.enqueued()
    await world.start(task)
    told = await world.look()
    for reason in ("starting execution soon", "worker started execution", ""):
        world.clock.advance(1)
        await world.agent.data("tasks.started", task=task["id"], force=True, status_reason=reason)
        told += await world.look()
    assert len(told) == 1


async def test_dequeue_and_edits_are_no_news(world: World) -> None:
    await world.enqueued()
    await world.program.ask("/dequeue")
    await world.program.ask("/set args.lr=0.5")
    await world.program.ask("/enqueue")
    assert await world.look() == []


async def test_of_what_one_neither_cloned_nor_enqueued_nothing_is_told(world: World) -> None:
    queue = world.sandbox.state.queue_named("alice_queue")
    assert queue
    others = world.sandbox.state.add_task("somebody else's", user=world.sandbox.bob.id)
    await world.agent.data("tasks.enqueue", task=others["id"], queue=queue["id"])
    await world.look()
    await world.start(others)
    assert await world.look() == []
    await world.end(others, "failed")
    assert await world.look() == []


async def test_each_is_told_of_his_own(world: World) -> None:
    bob = await world.program.introduce(world.sandbox.bob, Role.MEMBER)
    bobs = World(world.clock, world.sandbox, bob, world.agent, world.watcher)
    await bob.ask("/queue use alice_queue")
    mine, his = await world.enqueued("mine"), await bobs.enqueued("his")
    for task in (mine, his):
        await world.start(task)
    assert [line.split()[0] for line in await world.look()] == ["“mine”"]
    assert [line.split()[0] for line in await bobs.delivered()] == ["“his”"]


async def test_a_clone_enqueued_and_run_from_the_web_ui_is_told_all_the_same(world: World) -> None:
    reply = await world.program.say("/clone baseline two cards")
    task = world.sandbox.state.tasks[reply.experiment_id]
    await world.look()
    await world.agent.data("tasks.enqueue", task=task["id"], queue_name="alice_queue")
    await world.look()
    world.clock.advance(60)
    await world.start(task)
    verify(await world.look(), ("two cards", "left Pending", "1 min 1 s", WORKER))


async def test_an_experiment_renamed_meanwhile_is_told_by_its_new_name(world: World) -> None:
    task = await world.enqueued()
    await world.program.ask("/name better name")
    await world.start(task)
    verify(await world.look(), ("better name", "left Pending"))


# ── The worker's name ─────────────────────────────────────────────────────────────────────────────


async def test_a_run_whose_worker_is_not_known_yet_is_told_a_look_later_with_it(world: World) -> None:
    task = await world.enqueued()
    await world.start(task, worker="")
    assert await world.look() == []
    await world.report(task)
    verify(await world.look(), ("two cards", "left Pending", WORKER))


async def test_a_run_whose_worker_stays_unknown_is_told_without_it_after_a_while(world: World) -> None:
    task = await world.enqueued()
    await world.start(task, worker="")
    assert await world.look() == []
    assert await world.look(later=WORKER_GRACE.total_seconds() - 1) == []
    told = await world.look(later=1)
    verify(told, ("two cards", "left Pending"))
    assert "picked up" not in told[0]
    await world.report(task)
    assert await world.look() == []


async def test_the_worker_of_a_former_run_is_not_taken_for_that_of_the_new_one(world: World) -> None:
    task = await world.enqueued()
    await world.start(task, worker="lab:alice_queue:gpu7")
    await world.end(task, "failed")
    await world.look()
    world.clock.advance(60)
    await world.program.ask(f"/reset {task['id']} --yes")
    await world.program.ask("/enqueue")
    await world.start(task, worker="")
    assert await world.look() == []
    await world.report(task)
    verify(await world.look(), ("left Pending", WORKER))


async def test_a_run_without_a_worker_is_not_lost_behind_later_pages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left for a later look, and must stay within reach while much else changes after it."""
    monkeypatch.setattr(watching, "PAGE_SIZE", 3)
    task = await world.enqueued()
    await world.start(task, worker="")
    for number in range(10):
        world.clock.advance(3)
        add_changed(world, f"other {number}")
    assert await world.look() == []
    await world.report(task)
    assert len(await world.look()) == 1


# ── Nothing lost, nothing twice ───────────────────────────────────────────────────────────────────


def add_changed(world: World, name: str, *, status: str = "completed") -> Document:
    """An experiment of Bob's that changed its status now."""
    return world.sandbox.state.add_task(
        name, user=world.sandbox.bob.id, status=status, status_changed=world.clock()
    )


async def test_a_look_without_news_costs_one_request(world: World) -> None:
    await world.enqueued()
    await world.look()
    for later in (1, 30):
        world.sandbox.requests.clear()
        await world.look(later=later)
        assert world.sandbox.requests.names() == ["tasks.get_all_ex"]
        (request,) = world.sandbox.requests.named("tasks.get_all_ex")
        assert "hyperparams" not in request.body["only_fields"]


async def test_more_changes_at_one_same_moment_than_a_page_holds_are_all_seen(world: World) -> None:
    mine = [await world.enqueued(f"mine {number}") for number in range(3)]
    await world.look()
    world.clock.advance(60)
    for number in range(PAGE_SIZE + 100):
        add_changed(world, f"other {number}")
    for task in mine:
        await world.start(task)
    told = await world.look()
    assert sorted(line.split("”")[0] for line in told) == ["“mine 0", "“mine 1", "“mine 2"]
    assert await world.look() == []


async def test_many_changes_over_many_pages_are_all_seen_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAGE_SIZE", 4)
    mine = [await world.enqueued(f"mine {number}") for number in range(7)]
    await world.look()
    for number, task in enumerate(mine):
        world.clock.advance(5)
        await world.start(task)
        for other in range(3):
            add_changed(world, f"other {number} {other}")
    told = await world.look()
    assert [line.split("”")[0] for line in told] == [f"“mine {number}" for number in range(7)]
    assert await world.look() == []


async def test_a_change_stamped_before_the_last_one_seen_is_seen_when_it_appears(world: World) -> None:
    """The server stamps a change before it stores it."""
    task = await world.enqueued()
    await world.start(task)
    stamped, world.clock.moment = world.clock.moment, world.clock.moment + OVERLAP - timedelta(seconds=2)
    hidden = dict(task)
    task.update(status="queued", status_changed=stamped - timedelta(seconds=30), started=None)
    add_changed(world, "other")
    assert await world.look() == []
    task.update(hidden)
    assert len(await world.look()) == 1


async def test_clearml_being_down_during_a_look_loses_nothing(world: World) -> None:
    first, second = await world.enqueued("first"), await world.enqueued("second")
    await world.look()
    await world.start(first)
    port = int(world.sandbox.url.rpartition(":")[2])
    await world.sandbox.aclose()
    for _ in range(3):
        with pytest.raises(ClearMLUnreachableError):
            await world.look(later=60)
    assert await world.delivered() == []
    await world.sandbox.start(port=port)
    await world.start(second)
    assert [line.split("”")[0] for line in await world.look()] == ["“first", "“second"]
    assert await world.look() == []


async def test_a_look_cut_short_between_pages_is_taken_up_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAGE_SIZE", 2)
    mine = [await world.enqueued(f"mine {number}") for number in range(5)]
    await world.look()
    for task in mine:
        world.clock.advance(20)
        await world.start(task)
    world.sandbox.faults.delay("tasks.get_all_ex", 0.0, times=2)
    world.sandbox.faults.answer("tasks.get_all_ex", status=500, body="broken", times=2)
    with pytest.raises(Exception, match="has a fault"):
        await world.look()
    told = await world.delivered()
    assert 0 < len(told) < 5
    told += await world.look()
    assert [line.split("”")[0] for line in told] == [f"“mine {number}" for number in range(5)]


async def test_a_program_started_anew_tells_what_happened_meanwhile_and_nothing_twice(
    world: World, tmp_path: Path
) -> None:
    first, second = await world.enqueued("first"), await world.enqueued("second")
    await world.start(first)
    assert len(await world.look()) == 1
    world.clock.advance(3600)
    await world.end(first, "completed")
    await world.start(second)
    async with running_program(world.sandbox, tmp_path) as again:
        anew = World(world.clock, world.sandbox, again, world.agent, watcher_of(again, world.clock))
        told = await anew.look()
        assert sorted(line.split("”")[0] for line in told) == ["“first", "“second"]
        assert await anew.look() == []
    assert await world.look() == [], "nor does one that still runs beside it"


async def test_two_watchers_of_one_database_tell_everything_once(world: World, tmp_path: Path) -> None:
    async with running_program(world.sandbox, tmp_path) as beside:
        other = watcher_of(beside, world.clock)
        task = await world.enqueued()
        await world.start(task)
        world.clock.advance(1)
        await other.look()
        await world.watcher.look()
        assert len(await world.delivered()) == 1


async def test_what_was_put_out_but_not_sent_is_sent_after_a_restart(world: World, tmp_path: Path) -> None:
    task = await world.enqueued()
    await world.start(task)
    world.clock.advance(1)
    assert await world.watcher.look() == 1
    async with running_program(world.sandbox, tmp_path) as again:
        anew = World(world.clock, world.sandbox, again, world.agent, watcher_of(again, world.clock))
        assert len(await anew.delivered()) == 1
        assert await anew.delivered() == []
    assert await world.delivered() == []


# ── The first look ever ───────────────────────────────────────────────────────────────────────────


async def begun_anew(world: World) -> None:
    """Has the program forget that it ever looked."""
    async with world.program.program.process.database.writing() as session:
        row = await session.get_one(WatcherCursorRow, 1)
        await session.delete(row)
    world.watcher = watcher_of(world.program, world.clock)


async def test_the_first_look_ever_tells_nothing_old(tmp_path: Path) -> None:
    clock = Clock()
    async with Sandbox(now=clock) as sandbox:
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        async with running_program(sandbox, tmp_path) as program:
            watcher = watcher_of(program, clock)
            assert [await watcher.look() for _ in range(3)] == [0, 0, 0]


async def test_the_first_look_at_an_empty_server(tmp_path: Path) -> None:
    clock = Clock()
    async with Sandbox(now=clock) as sandbox, running_program(sandbox, tmp_path) as program:
        watcher = watcher_of(program, clock)
        assert [await watcher.look() for _ in range(2)] == [0, 0]


async def test_what_was_enqueued_before_the_first_look_ever_is_told(world: World) -> None:
    await begun_anew(world)
    task = await world.enqueued()
    world.clock.advance(60)
    await world.start(task)
    for number in range(3):
        world.clock.advance(60)
        add_changed(world, f"other {number}")
    told = await world.look() + await world.look()
    assert [line.split("”")[0] for line in told] == ["“two cards"]


async def test_a_clock_of_ours_that_goes_ahead_skips_nothing(world: World) -> None:
    """The state of a clone is noted by our own clock; an hour ahead of the server's it must not be waited for."""
    await begun_anew(world)
    world.clock.advance(-3600)
    task = await world.enqueued()
    await world.program.ask("/dequeue")
    await world.program.ask("/clone baseline noted by our clock")
    await world.look()
    await world.program.ask(f"/enqueue {task['id']}")
    await world.start(task)
    assert [line.split("”")[0] for line in await world.look()] == ["“two cards"]


async def test_an_experiment_without_a_time_of_change_does_not_stop_the_watcher(world: World) -> None:
    """A draft made by hand has none; to wait for it makes it known to the watcher."""
    await begun_anew(world)
    draft = world.sandbox.state.add_task("by hand", user=world.sandbox.alice.id)
    assert "status_changed" not in draft
    assert await world.program.error_code(f"/wait {draft['id']} timeout=1s") == "wait_timeout"
    await world.look()
    await world.agent.data("tasks.enqueue", task=draft["id"], queue_name="alice_queue")
    await world.look()
    await world.start(draft)
    assert [line.split("”")[0] for line in await world.look()] == ["“by hand"]


async def test_the_cursor_never_goes_back(world: World) -> None:
    task = await world.enqueued()
    await world.start(task)
    await world.look()
    positions = []
    for later in (1, 60, 1):
        add_changed(world, "other")
        await world.look(later=later)
        async with world.program.program.process.database.reading() as session:
            positions.append(await WatcherStore(session).cursor())
    assert positions == sorted(positions, key=str)


# ── How often ─────────────────────────────────────────────────────────────────────────────────────


async def test_it_looks_often_only_while_something_watched_waits_or_runs(world: World) -> None:
    process = world.program.program.process
    often, seldom = process.watch_interval, process.idle_watch_interval
    assert often < seldom
    await world.look()
    assert world.watcher.pause() == seldom
    task = await world.enqueued()
    await world.look()
    assert world.watcher.pause() == often
    await world.start(task, worker="")
    await world.look()
    assert world.watcher.pause() < often, "the worker's name comes in a moment"
    await world.report(task)
    await world.look()
    assert world.watcher.pause() == often
    await world.end(task, "completed")
    await world.look()
    assert world.watcher.pause() == seldom


async def test_what_is_enqueued_by_a_command_wakes_it(world: World) -> None:
    woken = world.program.program.process.watched.listener()
    await world.enqueued()
    assert woken.is_set()


async def test_what_another_program_has_watched_makes_it_look_often_within_half_a_minute(world: World) -> None:
    process, person = world.program.program.process, await world.program.person()
    assert person
    await world.look()
    seldom = world.watcher.pause()
    (task,) = add_pending(world.sandbox.state, 1, user=world.sandbox.bob.id)
    await world.look()
    await watch_all(process.database, [task], world.program.conversation, person.id)
    await world.look(later=30)
    assert world.watcher.pause() < seldom
