"""Whose a process is: which agent runs it, for which experiment, or which user of the machine without one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psutil

_EXECUTES = re.compile(r"clearml[-_]agent\b.*\bexecute\b.*--id[ =]([0-9a-f]{32})\b", re.DOTALL)
"""How an agent starts a run, on the machine itself and in a container."""

_MOST_ANCESTORS = 64


@dataclass(frozen=True, slots=True)
class ProcessOwner:
    """What is empty cannot be told. `worker_id` is only known of agents that this bot started."""

    worker_id: str = ""
    experiment_id: str = ""
    account: str = ""
    program: str = ""


def owners_of(process_ids: Iterable[int], worker_ids: Mapping[int, str]) -> dict[int, ProcessOwner]:
    """The owners of processes, by process id. `worker_ids` are our agents by their process ids."""
    lines: dict[int, str] = {}
    return {number: _owner(number, worker_ids, lines) for number in process_ids}


def _owner(number: int, worker_ids: Mapping[int, str], lines: dict[int, str]) -> ProcessOwner:
    """By the process and those that started it; `lines` remembers the command lines that were read."""
    worker_id = experiment_id = ""
    for process in _with_ancestors(number):
        worker_id = worker_id or worker_ids.get(process.pid, "")
        if not experiment_id:
            if process.pid not in lines:
                lines[process.pid] = _command_line(process)
            match = _EXECUTES.search(lines[process.pid])
            experiment_id = match[1] if match else ""
        if worker_id:
            break
    try:
        process = psutil.Process(number)
        return ProcessOwner(worker_id, experiment_id, process.username(), process.name())
    except (psutil.Error, KeyError):
        # Ended since, or of a user without a name, as in a container.
        return ProcessOwner(worker_id, experiment_id)


def executed_experiment(process: psutil.Process) -> str:
    """The id of the experiment that this process runs for an agent; empty where it is no such process."""
    match = _EXECUTES.search(_command_line(process))
    return match[1] if match else ""


def _with_ancestors(number: int) -> Iterator[psutil.Process]:
    try:
        process: psutil.Process | None = psutil.Process(number)
        for _ in range(_MOST_ANCESTORS):
            if process is None:
                return
            yield process
            process = process.parent()
    except psutil.Error:
        return


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
