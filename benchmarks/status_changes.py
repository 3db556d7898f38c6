"""Measures the watcher's cost when 10,000 watched experiments change at one moment, and when none does.

Goal: each is notified once, with one request per page; an idle poll takes one request and at most 5 ms of CPU.
It is measured with watched experiments, and with a subscription to their project.
"""

import asyncio
import multiprocessing
import resource
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.bulk_experiments import PROJECT, add_pending, fail_all, watch_all
from tests.support.program import RunningProgram, run_program

from clearml_chatops.models.notifications import ExperimentEvent
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.watching.watcher import OVERLAP
from clearml_chatops.storage.outbox import OutboxStore

EXPERIMENTS = 10_000
IDLE_POLLS = 200


async def _serve(pipe: Connection) -> None:
    """Run the sandbox in a process of its own, to count only the bot's CPU time here."""
    async with Sandbox() as sandbox:
        tasks = add_pending(sandbox.state, EXPERIMENTS, user=sandbox.alice.id)
        pipe.send((sandbox.url, sandbox.alice, tasks))
        loop = asyncio.get_running_loop()
        while command := await loop.run_in_executor(None, pipe.recv):
            if command == "fail":
                fail_all(tasks, sandbox.state.now())
            pipe.send(len(sandbox.requests.list_endpoints()))
            sandbox.requests.clear()


def serve(pipe: Connection) -> None:
    with suppress(EOFError):
        asyncio.run(_serve(pipe))


def _measure_memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(data: Path, pipe: Connection, *, by_subscription: bool) -> None:
    url, alice, tasks = pipe.recv()

    def ask(command: str) -> int:
        pipe.send(command)
        return int(pipe.recv())

    sandbox = Sandbox()
    sandbox.alice = alice
    async with run_program(sandbox, data, user=alice, host=url) as program:
        await program.ask("/whoami")
        person = await program.find_person()
        assert person
        process = program.program.process
        if by_subscription:
            while await process.watcher.poll():
                pass
            await program.ask(f"/watch project={PROJECT}")
        else:
            await watch_all(process.database, tasks, program.conversation, person.id)
        del tasks
        while await process.watcher.poll():
            pass
        ask("fail")
        memory_before, started_at, cpu_started_at = _measure_memory_mib(), time.monotonic(), time.process_time()
        notification_count = await process.watcher.poll()
        description = "of a subscribed project" if by_subscription else "watched by id"
        print(
            f"{EXPERIMENTS} experiments {description} started and failed at one moment: "
            f"{notification_count} notifications, {ask('count')} requests, {time.monotonic() - started_at:.1f} s, "
            f"{time.process_time() - cpu_started_at:.1f} s of CPU, "
            f"memory {memory_before:.0f} → {_measure_memory_mib():.0f} MiB"
        )
        print(f"different events in the outbox: {await _count_distinct_events(program)}")
        # The last changes are read again for some seconds, as some may appear late: it is not idle until then.
        while ask("count") != 1:
            await asyncio.sleep(OVERLAP.total_seconds())
            await process.watcher.poll()
        cpu_started_at = time.process_time()
        for _ in range(IDLE_POLLS):
            await process.watcher.poll()
        idle_cpu_seconds = time.process_time() - cpu_started_at
        print(
            f"an idle poll: {idle_cpu_seconds / IDLE_POLLS * 1000:.1f} ms of CPU, "
            f"{ask('count') / IDLE_POLLS:.2f} requests"
        )


async def _count_distinct_events(program: RunningProgram) -> int:
    async with program.program.process.database.reading() as session:
        waiting = await OutboxStore(session).list_due(
            program.conversation.platform,
            program.conversation.id,
            now=program.program.process.clock(),
            limit=10 * EXPERIMENTS,
        )
    return len({item.event for item in waiting if isinstance(item.event, ExperimentEvent)})


def main(*, by_subscription: bool) -> None:
    parent_pipe, child_pipe = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(child_pipe,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), parent_pipe, by_subscription=by_subscription))
    parent_pipe.send("")
    server.join()


if __name__ == "__main__":
    for by_subscription in (False, True):
        # Each runs in a process of its own, as a process does not return its memory.
        measurement = multiprocessing.get_context("spawn").Process(
            target=main, kwargs={"by_subscription": by_subscription}
        )
        measurement.start()
        measurement.join()
