"""The clearml-agent processes of this machine: started detached, found again, stopped by their exact id.

The behaviour of clearml-agent is observed, not documented (contract, sections 5 and 6): `--stop` without an id
stops any agent and needs the server, errors go to the standard output, and the files that name the agents'
processes are in a temporary folder. An agent is therefore identified by its own environment, which nobody else can
write, and stopped with the signal that `--stop` would send.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from clearml_chatops.models.errors import AgentFailedError, AgentMissingError, DockerMissingError
from clearml_chatops.models.workers import NO_GPUS, WorkerPlan
from clearml_chatops.services.workers.process_owners import find_executed_experiment_id

_COMMAND_TIMEOUT_SECONDS = 30.0
"""The slowest real answer is that the server is down, after about 15 s."""

_DETACH_TIMEOUT_SECONDS = 15.0
_POLL_INTERVAL_SECONDS = 0.1
_MAX_MISSED_POLLS = 3
_STOP_TIMEOUT_SECONDS = 20.0
_PROCESS_FILE_PREFIX = ".clearmlagent_"
_LOG_PREFIX = ".clearml_agent_daemon_out"
_MAX_LOG_BYTES = 2_000_000

_SECRET_PREFIXES = ("SLACK_", "TELEGRAM_", "CHATOPS_", "DATABASE_URL", "NATS_")
"""Prefixes of the bot's own variables, which must not reach the code that people run."""

_RUN_VARIABLES = ("CLEARML_TASK_ID", "TRAINS_TASK_ID")
"""Variables that mark a process as a run: the bot may itself be a run, but its agents aren't."""


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """A process, identified by its id and start time, because process ids are reused."""

    id: int
    started: datetime

    @property
    def is_running(self) -> bool:
        found = _find_process(self.id)
        return found is not None and found.started == self.started


class LocalAgents:
    """The agents that keep their files in `folder`, which must be safe from temporary-file cleaners."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def require_programs(self, plan: WorkerPlan, *, host: str) -> None:
        """Raise AgentMissingError or DockerMissingError if the plan needs a program that isn't installed."""
        _find_executable(host)
        if plan.uses_containers and not shutil.which("docker"):
            raise DockerMissingError(host=host)

    async def start(
        self, worker_id: str, plan: WorkerPlan, *, environment: Mapping[str, str], host: str
    ) -> AgentProcess:
        """Start a detached agent; it outlives this program.

        Raises:
            AgentMissingError: clearml-agent isn't installed.
            AgentFailedError: it didn't start; the error has the reason.
        """
        arguments = ["--queue", *plan.queue_ids, "--detached"]
        arguments += ["--services-mode"] if plan.services_mode else []
        arguments += ["--cpu-only"] if plan.gpus == NO_GPUS else ["--gpus", plan.gpus]
        arguments += ["--docker", *filter(None, [plan.image])] if plan.uses_containers else []
        await asyncio.to_thread(self._remove_stale_process_files)
        code, output = await self._run_daemon_command(
            arguments, worker_id=worker_id, environment=environment, host=host
        )
        if code != 0:
            raise AgentFailedError(host=host, reason=_extract_failure_reason(output))
        process = await self._wait_until_detached(worker_id)
        if process is None:
            raise AgentFailedError(host=host, reason="the agent ended right after it started.")
        return process

    async def list_running(self) -> dict[str, AgentProcess]:
        """Return the running agents of this folder by worker id, found by their processes, not by their files."""
        return await asyncio.to_thread(self._scan_processes)

    async def find_running(self, worker_id: str) -> AgentProcess | None:
        """Return the running agent of a worker. If it is starting, wait until it is detached."""
        return await self._wait_until_detached(worker_id) if worker_id in await self.list_running() else None

    async def stop(self, process: AgentProcess, *, host: str) -> None:
        """Stop exactly this agent; it aborts its run and unregisters at the server. Raises AgentFailedError."""
        await asyncio.to_thread(_terminate, process)
        if process.is_running:
            seconds = f"{_STOP_TIMEOUT_SECONDS:.0f} s"
            raise AgentFailedError(host=host, reason=f"the agent didn't stop within {seconds}.")

    async def is_executing(self, process: AgentProcess) -> bool:
        """Return whether a descendant of the agent is a run, even one that the server doesn't know yet."""
        return await asyncio.to_thread(_is_executing, process)

    async def read_last_log_lines(self, process: AgentProcess, count: int) -> list[str]:
        """Return the agent's last log lines, oldest first."""
        return await asyncio.to_thread(_read_last_log_lines, process, count)

    async def stop_all(self) -> None:
        """Stop every agent of this folder and wait for them.

        They get SIGTERM, as from a service manager: an agent then aborts its run and unregisters at the server.
        """
        for process in (await self.list_running()).values():
            await asyncio.to_thread(_terminate, process)

    async def _run_daemon_command(
        self, arguments: list[str], *, worker_id: str, environment: Mapping[str, str], host: str
    ) -> tuple[int, str]:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        process = await asyncio.create_subprocess_exec(
            _find_executable(host),
            "daemon",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._build_environment(worker_id, environment),
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), _COMMAND_TIMEOUT_SECONDS)
        except TimeoutError as error:
            raise AgentFailedError(host=host, reason=f"no answer for {_COMMAND_TIMEOUT_SECONDS:.0f} s.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output.decode(errors="replace")

    def _build_environment(self, worker_id: str, environment: Mapping[str, str]) -> dict[str, str]:
        excluded_prefixes = (*_SECRET_PREFIXES, *_RUN_VARIABLES)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(excluded_prefixes)}
        return {**inherited, **environment, "CLEARML_WORKER_ID": worker_id, "TMPDIR": str(self._folder)}

    def _remove_stale_process_files(self) -> None:
        """Remove the files of agents that no longer run.

        An agent refuses to start while a file has its worker id and the id of an existing process. That process
        may be a zombie of a killed agent, or another program that reuses the process id.
        """
        for file in self._folder.glob(f"{_PROCESS_FILE_PREFIX}*"):
            process_id = file.name.removeprefix(_PROCESS_FILE_PREFIX).partition("_")[0]
            if not process_id.isdigit() or not self._is_own_agent(int(process_id)):
                file.unlink(missing_ok=True)

    def _is_own_agent(self, process_id: int) -> bool:
        try:
            process = psutil.Process(process_id)
            is_ours = process.environ().get("TMPDIR") == str(self._folder)
            return is_ours and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            return False  # ended, another user's, or a zombie, which has no environment

    async def _wait_until_detached(self, worker_id: str) -> AgentProcess | None:
        """Return the daemon's process once it has detached from its parents; None if it has ended."""
        missed_polls = 0
        for _ in range(int(_DETACH_TIMEOUT_SECONDS / _POLL_INTERVAL_SECONDS)):
            process = (await self.list_running()).get(worker_id)
            if process is not None and _is_detached(process):
                return process
            # A process list that is read during a fork may contain neither parent nor child.
            missed_polls = missed_polls + 1 if process is None else 0
            if missed_polls == _MAX_MISSED_POLLS:
                return None
            await asyncio.sleep(_POLL_INTERVAL_SECONDS)
        return None

    def _scan_processes(self) -> dict[str, AgentProcess]:
        """Find agents by their environment and `--detached`: runs inherit the environment, but not the command."""
        found: dict[int, tuple[int, str]] = {}
        for process in psutil.process_iter():
            try:
                if "--detached" not in process.cmdline():
                    continue
                environment = process.environ()
                if environment.get("TMPDIR") == str(self._folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid] = (process.ppid(), environment.get("CLEARML_WORKER_ID", ""))
            except (psutil.Error, OSError):
                continue  # another user's, or ended
        # A forked child has the agent's command line until it executes a program of its own.
        root_worker_ids = {
            process_id: worker_id for process_id, (parent_id, worker_id) in found.items() if parent_id not in found
        }
        return {
            worker_id: agent
            for process_id, worker_id in root_worker_ids.items()
            if (agent := _find_process(process_id))
        }


def _find_executable(host: str) -> str:
    """Return clearml-agent from the bot's own environment, else from the PATH. Raises AgentMissingError."""
    sibling = Path(sys.executable).with_name("clearml-agent")
    found = str(sibling) if sibling.exists() else shutil.which("clearml-agent")
    if not found:
        raise AgentMissingError(host=host)
    return found


def _find_process(process_id: int) -> AgentProcess | None:
    try:
        process = psutil.Process(process_id)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return AgentProcess(process_id, datetime.fromtimestamp(process.create_time(), UTC))
    except psutil.Error:
        return None


def _is_detached(process: AgentProcess) -> bool:
    """Return whether this is the agent itself, and not one of the two parents that fork it.

    The second parent leads the agent's session and ends. Its id isn't reused while the session exists.
    """
    try:
        return _find_process(os.getsid(process.id)) is None
    except OSError:
        return False  # ended


def _terminate(process: AgentProcess) -> None:
    if not process.is_running:
        return
    try:
        found = psutil.Process(process.id)
        found.terminate()
        found.wait(_STOP_TIMEOUT_SECONDS)
    except psutil.Error:
        return


def _is_executing(process: AgentProcess) -> bool:
    try:
        children = psutil.Process(process.id).children(recursive=True)
        return any(find_executed_experiment_id(child) for child in children)
    except psutil.Error:
        return False


def _read_last_log_lines(process: AgentProcess, count: int) -> list[str]:
    """Read the log file among the agent's open files: the agent reports its name nowhere."""
    try:
        paths = [Path(file.path) for file in psutil.Process(process.id).open_files()]
        log = next(path for path in paths if path.name.startswith(_LOG_PREFIX))
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _MAX_LOG_BYTES, 0))
            text = file.read().decode(errors="replace")
    except (psutil.Error, OSError, StopIteration):
        return []
    return text.splitlines()[-count:]


def _extract_failure_reason(output: str) -> str:
    """Return the reason in the agent's own words, as a sentence: the last line with ERROR, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]
    return (errors or lines or ["no reason given"])[-1].rstrip(".") + "."
