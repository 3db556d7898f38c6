"""What the watcher costs where 10,000 watched experiments change their status at one moment, and where none does.

Each is to be told once, with one request a page; an idle cycle is one request and at most 5 ms of CPU. The
same where nobody watches them by their ids, but a channel has subscribed to their project.
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
IDLE_CYCLES = 200


async def _serve(pipe: Connection) -> None:
    """The sandbox in a process of its own, so that only the bot's CPU is counted here."""
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
        description = "of a subscribed project" if by_subscription else "watched by their ids"
        print(
            f"{EXPERIMENTS} experiments {description} left Pending and failed at one moment: {notification_count} notifications, "
            f"{ask('count')} requests, {time.monotonic() - started_at:.1f} s, "
            f"{time.process_time() - cpu_started_at:.1f} s of CPU, memory {memory_before:.0f} → {_measure_memory_mib():.0f} MiB"
        )
        print(f"in the outbox: {await _count_waiting(program)}, each of its own")
        # What changed last is read again for a while, since something may appear late: until then it is not idle.
        while ask("count") != 1:
            await asyncio.sleep(OVERLAP.total_seconds())
            await process.watcher.poll()
        cpu_started_at = time.process_time()
        for _ in range(IDLE_CYCLES):
            await process.watcher.poll()
        cpu_started_at = time.process_time() - cpu_started_at
        print(
            f"an idle cycle: {cpu_started_at / IDLE_CYCLES * 1000:.1f} ms of CPU, {ask('count') / IDLE_CYCLES:.2f} requests"
        )


async def _count_waiting(program: RunningProgram) -> int:
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
        # Each in a process of its own: what a process has once held it does not give back.
        measurement = multiprocessing.get_context("spawn").Process(
            target=main, kwargs={"by_subscription": by_subscription}
        )
        measurement.start()
        measurement.join()
