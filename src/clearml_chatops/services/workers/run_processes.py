"""The processes of runs on this machine, with those that a killed agent left behind."""

import asyncio
import contextlib
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from clearml_chatops.services.workers.process_owners import find_executed_experiment_id

_DAEMON_COMMAND = re.compile(r"clearml[-_]agent\S* daemon\b")
_DOCKER_TIMEOUT_SECONDS = 15.0
_STOP_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LocalRuns:
    """The runs of this machine by experiment id.

    `orphaned` has the runs without an agent, with their processes; `attended` has all others.
    """

    orphaned: Mapping[str, list[psutil.Process]]
    attended: frozenset[str]


def scan_local_runs() -> LocalRuns:
    """Return the runs of all agents on this machine, including those of others, as far as visible."""
    parents: dict[int, int] = {}
    agent_ids: set[int] = set()
    runs: dict[int, tuple[psutil.Process, str]] = {}
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            parents[process.pid] = process.ppid()
            if _DAEMON_COMMAND.search(" ".join(process.cmdline())):
                agent_ids.add(process.pid)
            elif experiment_id := find_executed_experiment_id(process):
                runs[process.pid] = (process, experiment_id)
        except psutil.Error:
            continue  # ended
    orphaned: dict[str, list[psutil.Process]] = defaultdict(list)
    attended: set[str] = set()
    for process_id, (process, experiment_id) in runs.items():
        if agent_ids.intersection(_find_ancestors(process_id, parents)):
            attended.add(experiment_id)
        else:
            orphaned[experiment_id].append(process)
    # A process in a container has no agent among its ancestors, but the process that started the container has.
    return LocalRuns({id_: found for id_, found in orphaned.items() if id_ not in attended}, frozenset(attended))


async def stop_run(experiment_id: str, processes: list[psutil.Process], *, in_container: bool) -> None:
    """Stop a run and its container, first with SIGTERM, as its agent would."""
    if in_container and (docker := shutil.which("docker")):
        containers = await _run_command(docker, "ps", "--no-trunc", "--format", "{{.ID}} {{.Command}}")
        for line in containers.splitlines():
            container, _, command = line.partition(" ")
            if f"--id {experiment_id}" in command:
                await _run_command(docker, "stop", "-t", "1", container)
    await asyncio.to_thread(_stop_processes, processes)


def _stop_processes(processes: list[psutil.Process]) -> None:
    alive = processes
    for send_signal in (psutil.Process.terminate, psutil.Process.kill):
        for process in alive:
            with contextlib.suppress(psutil.Error):  # ended
                send_signal(process)
        _, alive = psutil.wait_procs(alive, timeout=_STOP_TIMEOUT_SECONDS)


async def _run_command(*command: str) -> str:
    """Return the output of a command; empty if it times out."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _DOCKER_TIMEOUT_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode(errors="replace")


def _find_ancestors(process_id: int, parents: Mapping[int, int]) -> list[int]:
    ancestors: list[int] = []
    while (process_id := parents.get(process_id, 0)) and process_id not in ancestors:
        ancestors.append(process_id)
    return ancestors
