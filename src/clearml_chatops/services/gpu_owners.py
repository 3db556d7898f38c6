"""Whose a process is: which agent runs it, for which experiment, or which user of the machine without one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import psutil

_EXECUTES = re.compile(r"clearml[-_]agent\b.*\bexecute\b.*--id[ =]([0-9a-f]{32})\b", re.DOTALL)
"""How an agent starts a run, on the machine itself and in a container."""

_ID = re.compile(r"[0-9a-f]{32}")
_ID_VARIABLE = "CLEARML_TASK_ID"
"""Told to the code of a run, which outside of containers takes the place of the process that executes it."""

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
    known: dict[int, str] = {}
    return {number: _owner(number, worker_ids, known) for number in process_ids}


def _owner(number: int, worker_ids: Mapping[int, str], known: dict[int, str]) -> ProcessOwner:
    """By the process and those that started it; `known` remembers what the processes that were read run."""
    worker_id = experiment_id = ""
    for process in _with_ancestors(number):
        worker_id = worker_id or worker_ids.get(process.pid, "")
        if not experiment_id:
            if process.pid not in known:
                known[process.pid] = executed_experiment(process)
            experiment_id = known[process.pid]
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
    return match[1] if match else _told_experiment(process)


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


def _told_experiment(process: psutil.Process) -> str:
    try:
        found = process.environ().get(_ID_VARIABLE, "")
    except (psutil.Error, OSError):
        return ""  # of another user
    return found if _ID.fullmatch(found) else ""


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
