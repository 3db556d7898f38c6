"""Runs that are looked at for alerts and alarms, on a server and a program whose time stands until it is moved."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clearml_chatops.models.replies import Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document, stored
from clearml_chatops.sandbox.events import SCALAR, add_events
from clearml_chatops.sandbox.state import Worker
from clearml_chatops.services.watching.run_watching import RunWatching
from tests.sandbox.support import Clock
from tests.support.program import RunningProgram, plain_text, running_program

WORKER = "lab:alice_queue:gpu0"


@dataclass
class WatchedRuns:
    """A server, a program on it, and what looks at the runs; `watching` is made anew as after a restart."""

    clock: Clock
    sandbox: Sandbox
    program: RunningProgram
    watching: RunWatching

    def restart(self) -> None:
        self.watching = _watching(self.program, self.clock)

    async def look(self, *, later: float = 10) -> list[str]:
        """What a look has the person told, each message with its buttons."""
        self.clock.advance(seconds=later)
        await self.watching.look()
        return [plain_text(reply) for reply in await self.delivered()]

    async def delivered(self, person: RunningProgram | None = None) -> list[Reply]:
        process = replace(self.program.program.process, clock=self.clock)
        return await self.program.told(process.notifications, (person or self.program).conversation)

    def run(self, name: str = "a run", status: str = "in_progress", **fields: Any) -> Document:
        """An experiment of Alice's that runs since now, where it has no other status."""
        now = stored(self.clock())
        task = self.sandbox.state.add_task(name, user=self.sandbox.alice.id, status=status, **fields)
        task.update(status_changed=now, **({"started": now} if status == "in_progress" else {}))
        return task

    async def watched(self, name: str = "a run", status: str = "in_progress", **fields: Any) -> Document:
        """The same, watched in Alice's terminal."""
        task = self.run(name, status, **fields)
        await self.program.ask(f"/watch {task['id']}")
        return task

    def end(self, task: Document, status: str = "completed") -> None:
        task.update(status=status, status_changed=stored(self.clock()), completed=stored(self.clock()))

    def report(self, task: Document, name: str, *values: float) -> None:
        """Values of the scalar `metric/variant`, at the next iterations."""
        metric, _, variant = name.rpartition("/")
        events = self.sandbox.state.events.get(task["id"])
        first = len(events.scalars) if events else 0
        add_events(
            self.sandbox.state,
            (
                {
                    "type": SCALAR,
                    "task": task["id"],
                    "metric": metric,
                    "variant": variant,
                    "iter": first + number,
                    "value": value,
                    "timestamp": self._milliseconds(),
                }
                for number, value in enumerate(values)
            ),
        )

    def log(self, task: Document, *lines: str, ago: float = 0) -> None:
        """Lines that the run's machine wrote `ago` seconds before they came."""
        timestamp = self._milliseconds() - int(ago * 1000)
        add_events(
            self.sandbox.state,
            ({"type": "log", "task": task["id"], "msg": line, "timestamp": timestamp} for line in lines),
        )

    def worker_reports(self, task: Document | None = None, *, queues: tuple[str, ...] = ()) -> None:
        """A status report of the worker, as of its run."""
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
            task.update(last_worker=WORKER, last_worker_report=stored(now))

    def _milliseconds(self) -> int:
        return round(self.clock().timestamp() * 1000)


def _watching(program: RunningProgram, clock: Clock) -> RunWatching:
    return replace(program.program.process, clock=clock).run_watching


@asynccontextmanager
async def watched_runs(data: Path) -> AsyncIterator[WatchedRuns]:
    clock = Clock()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(now=clock))
        program = await stack.enter_async_context(running_program(sandbox, data))
        yield WatchedRuns(clock, sandbox, program, _watching(program, clock))
