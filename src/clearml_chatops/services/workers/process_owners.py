"""The owners of processes: the agent and the experiment of a process, or the system user that runs it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psutil

_EXECUTE_COMMAND = re.compile(r"clearml[-_]agent\b.*\bexecute\b.*--id[ =]([0-9a-f]{32})\b", re.DOTALL)
"""The command with which an agent starts a run, on the machine itself or in a container."""

_EXPERIMENT_ID = re.compile(r"[0-9a-f]{32}")
_EXPERIMENT_ID_VARIABLE = "CLEARML_TASK_ID"
"""Set for the code of a run. Outside of containers, that code replaces the process that executes it."""

_MAX_ANCESTORS = 64


@dataclass(frozen=True, slots=True)
class ProcessOwner:
    """The owner of a process; unknown parts are empty. `worker_id` is known only for agents of this bot."""

    worker_id: str = ""
    experiment_id: str = ""
    account: str = ""
    program: str = ""


def find_owners(process_ids: Iterable[int], worker_ids: Mapping[int, str]) -> dict[int, ProcessOwner]:
    """Return the owners of processes by process id. `worker_ids` has the bot's agents by process id."""
    process_tree = _ProcessTree(worker_ids)
    return {process_id: _find_owner(process_id, process_tree) for process_id in process_ids}


class _ProcessTree:
    """The worker and the experiment of a process, found among its ancestors. Each process is read once.

    The processes of a machine share most of their ancestors, and reading one takes a tenth of a millisecond.
    """

    def __init__(self, worker_ids: Mapping[int, str]) -> None:
        self._worker_ids = worker_ids
        self._worker_and_experiment_ids: dict[int, tuple[str, str]] = {0: ("", "")}

    def find_worker_and_experiment(self, process_id: int) -> tuple[str, str]:
        """Return the ids of worker and experiment of the nearest ancestors, up to the bot's own agent."""
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
        # Ended, or run by a user without a name, as in a container.
        return ProcessOwner(worker_id, experiment_id)


def _read_parent_and_experiment(process_id: int) -> tuple[int, str]:
    """Return the parent's process id, 0 if it has ended, and the experiment that this process runs."""
    try:
        process = psutil.Process(process_id)
        with process.oneshot():
            return process.ppid(), find_executed_experiment_id(process)
    except psutil.Error:
        return 0, ""


def find_executed_experiment_id(process: psutil.Process) -> str:
    """Return the id of the experiment that this process runs for an agent; empty if it runs none."""
    match = _EXECUTE_COMMAND.search(_read_command_line(process))
    return match[1] if match else _read_experiment_id_variable(process)


def _read_experiment_id_variable(process: psutil.Process) -> str:
    try:
        experiment_id = process.environ().get(_EXPERIMENT_ID_VARIABLE, "")
    except (psutil.Error, OSError):
        return ""  # another user's process
    return experiment_id if _EXPERIMENT_ID.fullmatch(experiment_id) else ""


def _read_command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
