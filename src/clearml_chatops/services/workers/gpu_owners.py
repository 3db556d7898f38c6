"""Whose a process is: which agent runs it, for which experiment, or which user of the machine without one."""

import re
from collections.abc import Iterable, Mapping
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
    lineages = _Lineages(worker_ids)
    return {number: _owner(number, lineages) for number in process_ids}


class _Lineages:
    """Which worker and which experiment a process belongs to, by those that started it. Each is read once.

    The processes of one machine have most of their ancestors in common, and reading one takes a tenth of a
    millisecond.
    """

    def __init__(self, worker_ids: Mapping[int, str]) -> None:
        self._worker_ids = worker_ids
        self._known: dict[int, tuple[str, str]] = {0: ("", "")}

    def of(self, number: int) -> tuple[str, str]:
        """The ids of worker and experiment; those next to the process count, and none beyond our own agent."""
        climbed: list[tuple[int, str, str]] = []
        while number not in self._known and len(climbed) < _MOST_ANCESTORS:
            worker_id = self._worker_ids.get(number, "")
            parent, experiment_id = _parent_and_experiment(number)
            climbed.append((number, worker_id, experiment_id))
            number = 0 if worker_id else parent
        worker_above, experiment_above = self._known.get(number, ("", ""))
        for descendant, worker_id, experiment_id in reversed(climbed):
            worker_above, experiment_above = worker_id or worker_above, experiment_id or experiment_above
            self._known[descendant] = worker_above, experiment_above
        return worker_above, experiment_above


def _owner(number: int, lineages: _Lineages) -> ProcessOwner:
    worker_id, experiment_id = lineages.of(number)
    try:
        process = psutil.Process(number)
        with process.oneshot():
            return ProcessOwner(worker_id, experiment_id, process.username(), process.name())
    except (psutil.Error, KeyError):
        # Ended since, or of a user without a name, as in a container.
        return ProcessOwner(worker_id, experiment_id)


def _parent_and_experiment(number: int) -> tuple[int, str]:
    """The process that started this one, 0 where there is none any more, and what this one runs for an agent."""
    try:
        process = psutil.Process(number)
        with process.oneshot():
            return process.ppid(), executed_experiment(process)
    except psutil.Error:
        return 0, ""


def executed_experiment(process: psutil.Process) -> str:
    """The id of the experiment that this process runs for an agent; empty where it is no such process."""
    match = _EXECUTES.search(_command_line(process))
    return match[1] if match else _told_experiment(process)


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
