"""The processes of runs on this machine. A killed agent leaves its run's behind, and nobody looks after them."""

import asyncio
import contextlib
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from clearml_chatops.services.workers.gpu_owners import executed_experiment

_DAEMON = re.compile(r"clearml[-_]agent\S* daemon\b")
_DOCKER_SECONDS = 15.0
_ENDING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RunsHere:
    """The runs of this machine by their experiments' ids.

    `left` are those that no agent looks after, with their processes; `attended` all others.
    """

    left: Mapping[str, list[psutil.Process]]
    attended: frozenset[str]


def runs_here() -> RunsHere:
    """What agents have begun on this machine, whosever they are, as far as it can be seen."""
    parents: dict[int, int] = {}
    agents: set[int] = set()
    runs: dict[int, tuple[psutil.Process, str]] = {}
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            parents[process.pid] = process.ppid()
            if _DAEMON.search(" ".join(process.cmdline())):
                agents.add(process.pid)
            elif experiment_id := executed_experiment(process):
                runs[process.pid] = (process, experiment_id)
        except psutil.Error:
            continue  # gone meanwhile
    left: dict[str, list[psutil.Process]] = defaultdict(list)
    attended: set[str] = set()
    for number, (process, experiment_id) in runs.items():
        if agents.intersection(_ancestors(number, parents)):
            attended.add(experiment_id)
        else:
            left[experiment_id].append(process)
    # In a container no process has the agent above it; what has started the container does.
    return RunsHere({id_: found for id_, found in left.items() if id_ not in attended}, frozenset(attended))


async def end_run(experiment_id: str, processes: list[psutil.Process], *, in_container: bool) -> None:
    """Ends a run as its agent would, but asks first."""
    if in_container and (docker := shutil.which("docker")):
        listed = await _said(docker, "ps", "--no-trunc", "--format", "{{.ID}} {{.Command}}")
        for line in listed.splitlines():
            container, _, command = line.partition(" ")
            if f"--id {experiment_id}" in command:
                await _said(docker, "stop", "-t", "1", container)
    await asyncio.to_thread(_end, processes)


def _end(processes: list[psutil.Process]) -> None:
    alive = processes
    for way in (psutil.Process.terminate, psutil.Process.kill):
        for process in alive:
            with contextlib.suppress(psutil.Error):  # gone meanwhile
                way(process)
        _, alive = psutil.wait_procs(alive, timeout=_ENDING_SECONDS)


async def _said(*command: str) -> str:
    """What a command writes; what does not answer in time is left alone."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _DOCKER_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode(errors="replace")


def _ancestors(number: int, parents: Mapping[int, int]) -> list[int]:
    found: list[int] = []
    while (number := parents.get(number, 0)) and number not in found:
        found.append(number)
    return found
