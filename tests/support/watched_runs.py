"""Runs that are polled for alerts and stalls, with a server and a program whose clock the test moves."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.events import SCALAR_EVENT, add_events
from clearml_chatops.sandbox.state import Worker
from clearml_chatops.services.watching.run_poller import RunPoller
from tests.sandbox.support import Clock
from tests.support.program import RunningProgram, run_program, to_plain_text

WORKER = "lab:alice_queue:gpu0"


@dataclass
class WatchedRuns:
    """A server, a program, and the poller of runs. `restart` replaces the poller, like a restart of the bot."""

    clock: Clock
    sandbox: Sandbox
    program: RunningProgram
    poller: RunPoller

    def restart(self) -> None:
        self.poller = _build_poller(self.program, self.clock)

    async def poll(self, *, advance_by: float = 10) -> list[str]:
        """Poll once, and return the notifications with their buttons."""
        self.clock.advance(seconds=advance_by)
        await self.poller.poll()
        return [to_plain_text(reply) for reply in await self.deliver()]

    async def deliver(self, person: RunningProgram | None = None) -> list[Reply]:
        process = replace(self.program.program.process, clock=self.clock)
        return await self.program.deliver_due(process.notifications, (person or self.program).conversation)

    def add_run(self, name: str = "a run", status: str = "in_progress", **fields: Any) -> Document:
        """Add an experiment of Alice's that has just started, unless another status is given."""
        now = truncate_to_milliseconds(self.clock())
        task = self.sandbox.state.add_task(name, user=self.sandbox.alice.id, status=status, **fields)
        task.update(status_changed=now, **({"started": now} if status == "in_progress" else {}))
        return task

    async def add_watched_run(self, name: str = "a run", status: str = "in_progress", **fields: Any) -> Document:
        """Add a run and watch it in Alice's terminal."""
        task = self.add_run(name, status, **fields)
        await self.program.ask(f"/watch {task['id']}")
        return task

    def finish_run(self, task: Document, status: str = "completed") -> None:
        task.update(
            status=status,
            status_changed=truncate_to_milliseconds(self.clock()),
            completed=truncate_to_milliseconds(self.clock()),
        )

    def report_scalar(self, task: Document, name: str, *values: float) -> None:
        """Report values of the scalar `metric/variant`, at the next iterations."""
        metric, _, variant = name.rpartition("/")
        events = self.sandbox.state.events.get(task["id"])
        first_iteration = len(events.scalars) if events else 0
        add_events(
            self.sandbox.state,
            (
                {
                    "type": SCALAR_EVENT,
                    "task": task["id"],
                    "metric": metric,
                    "variant": variant,
                    "iter": first_iteration + number,
                    "value": value,
                    "timestamp": self._get_timestamp(),
                }
                for number, value in enumerate(values)
            ),
        )

    def add_log_lines(self, task: Document, *lines: str, seconds_ago: float = 0) -> None:
        """Add log lines that the run wrote `seconds_ago` before they arrived."""
        timestamp = self._get_timestamp() - int(seconds_ago * 1000)
        add_events(
            self.sandbox.state,
            ({"type": "log", "task": task["id"], "msg": line, "timestamp": timestamp} for line in lines),
        )

    def report_worker_status(self, task: Document | None = None, *, queues: tuple[str, ...] = ()) -> None:
        """Report the worker's status, with the run if one is given."""
        state, now = self.sandbox.state, self.clock()
        worker = state.workers.get(WORKER) or Worker(
            key=WORKER,
            id=WORKER,
            user=self.sandbox.alice.id,
            address="127.0.0.1",
            queues=list(queues),
            tags=[],
            system_tags=[],
            register_time=now,
            register_timeout=600,
            last_activity_time=now,
        )
        worker.last_activity_time = worker.last_report_time = now
        worker.task = task["id"] if task else None
        state.workers[WORKER] = worker
        if task:
            task.update(last_worker=WORKER, last_worker_report=truncate_to_milliseconds(now))

    def _get_timestamp(self) -> int:
        return round(self.clock().timestamp() * 1000)


def _build_poller(program: RunningProgram, clock: Clock) -> RunPoller:
    return replace(program.program.process, clock=clock).run_poller


@asynccontextmanager
async def open_watched_runs(data_folder: Path) -> AsyncIterator[WatchedRuns]:
    clock = Clock()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(clock=clock))
        program = await stack.enter_async_context(run_program(sandbox, data_folder))
        yield WatchedRuns(clock, sandbox, program, _build_poller(program, clock))
