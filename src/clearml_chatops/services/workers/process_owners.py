"""Whose a process is: which agent runs it, for which experiment, or which user of the machine without one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

_EXECUTE_COMMAND = re.compile(r"clearml[-_]agent\b.*\bexecute\b.*--id[ =]([0-9a-f]{32})\b", re.DOTALL)
"""How an agent starts a run, on the machine itself and in a container."""

_EXPERIMENT_ID = re.compile(r"[0-9a-f]{32}")
_EXPERIMENT_ID_VARIABLE = "CLEARML_TASK_ID"
"""Told to the code of a run, which outside of containers takes the place of the process that executes it."""

_MAX_ANCESTORS = 64


@dataclass(frozen=True, slots=True)
class ProcessOwner:
    """What is empty cannot be told. `worker_id` is only known of agents that this bot started."""

    worker_id: str = ""
    experiment_id: str = ""
    account: str = ""
    program: str = ""


def find_owners(process_ids: Iterable[int], worker_ids: Mapping[int, str]) -> dict[int, ProcessOwner]:
    """The owners of processes, by process id. `worker_ids` are our agents by their process ids."""
    process_tree = _ProcessTree(worker_ids)
    return {process_id: _find_owner(process_id, process_tree) for process_id in process_ids}


class _ProcessTree:
    """Which worker and which experiment a process belongs to, by those that started it. Each is read once.

    The processes of one machine have most of their ancestors in common, and reading one takes a tenth of a
    millisecond.
    """

    def __init__(self, worker_ids: Mapping[int, str]) -> None:
        self._worker_ids = worker_ids
        self._worker_and_experiment_ids: dict[int, tuple[str, str]] = {0: ("", "")}

    def find_worker_and_experiment(self, process_id: int) -> tuple[str, str]:
        """The ids of worker and experiment; those next to the process count, and none beyond our own agent."""
        visited: list[tuple[int, str, str]] = []
        while process_id not in self._worker_and_experiment_ids and len(visited) < _MAX_ANCESTORS:
            worker_id = self._worker_ids.get(process_id, "")
            parent, experiment_id = _read_parent_and_experiment(process_id)
            visited.append((process_id, worker_id, experiment_id))
            process_id = 0 if worker_id else parent
        inherited_worker_id, inherited_experiment_id = self._worker_and_experiment_ids.get(process_id, ("", ""))
        for descendant, worker_id, experiment_id in reversed(visited):
            inherited_worker_id, inherited_experiment_id = (
                worker_id or inherited_worker_id,
                experiment_id or inherited_experiment_id,
            )
            self._worker_and_experiment_ids[descendant] = inherited_worker_id, inherited_experiment_id
        return inherited_worker_id, inherited_experiment_id


def _find_owner(process_id: int, process_tree: _ProcessTree) -> ProcessOwner:
    worker_id, experiment_id = process_tree.find_worker_and_experiment(process_id)
    try:
        process = psutil.Process(process_id)
        with process.oneshot():
            return ProcessOwner(worker_id, experiment_id, process.username(), process.name())
    except (psutil.Error, KeyError):
        # Ended since, or of a user without a name, as in a container.
        return ProcessOwner(worker_id, experiment_id)


def _read_parent_and_experiment(process_id: int) -> tuple[int, str]:
    """The process that started this one, 0 where there is none any more, and what this one runs for an agent."""
    try:
        process = psutil.Process(process_id)
        with process.oneshot():
            return process.ppid(), find_executed_experiment_id(process)
    except psutil.Error:
        return 0, ""


def find_executed_experiment_id(process: psutil.Process) -> str:
    """The id of the experiment that this process runs for an agent; empty where it is no such process."""
    match = _EXECUTE_COMMAND.search(_read_command_line(process))
    return match[1] if match else _read_experiment_id_variable(process)


def _read_experiment_id_variable(process: psutil.Process) -> str:
    try:
        experiment_id = process.environ().get(_EXPERIMENT_ID_VARIABLE, "")
    except (psutil.Error, OSError):
        return ""  # of another user
    return experiment_id if _EXPERIMENT_ID.fullmatch(experiment_id) else ""


def _read_command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
