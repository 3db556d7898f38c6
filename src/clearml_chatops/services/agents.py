"""The clearml-agent processes of this machine: started detached, found again, stopped by their exact id.

What clearml-agent does is observed, not promised (contract, sections 5 and 6): `--stop` without an id
takes any agent, errors go to the standard output, and the file that names a detached agent's process
is renamed only after the command has returned.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from clearml_chatops.models.errors import AgentFailedError, AgentMissingError

_COMMAND_SECONDS = 60.0
"""The slowest honest answer is that the server is down, after some 15 s."""

_SETTLING_SECONDS = 15.0
_PAUSE_SECONDS = 0.1
_STOPPING_SECONDS = 15.0

_SECRET_PREFIXES = ("SLACK_", "TELEGRAM_", "CHATOPS_", "DATABASE_URL", "NATS_")
"""What belongs to the bot alone and must not reach the code that people run."""


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """A process by number and start time: a number alone is given again to others."""

    id: int
    started: datetime

    @property
    def is_running(self) -> bool:
        found = _process(self.id)
        return found is not None and found.started == self.started


class LocalAgents:
    """`folder` keeps the agents' own files: a place that no cleaner of temporary folders visits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def start(
        self,
        worker_id: str,
        *,
        queue_id: str,
        gpus: str,
        image: str,
        environment: Mapping[str, str],
        host: str,
    ) -> AgentProcess:
        """Starts a detached agent that listens on a queue; it outlives this program.

        Raises:
            AgentMissingError: clearml-agent is not installed.
            AgentFailedError: it said why it did not start.
        """
        arguments = ["--queue", queue_id, "--detached"]
        arguments += ["--cpu-only"] if gpus == "none" else ["--gpus", gpus]
        arguments += ["--docker", image] if image else []
        code, output = await self._run(arguments, worker_id=worker_id, environment=environment, host=host)
        if code != 0:
            raise AgentFailedError(host=host, reason=_reason(output))
        process = await self._settled(worker_id)
        if process is None:
            raise AgentFailedError(host=host, reason="the agent ended right after its start.")
        return process

    async def stop(
        self, worker_id: str, *, process: AgentProcess, environment: Mapping[str, str], host: str
    ) -> None:
        """Stops exactly this agent; a run in it is aborted. Raises AgentFailedError, AgentMissingError."""
        if process.is_running:
            code, output = await self._run(
                ["--stop", worker_id], worker_id=worker_id, environment=environment, host=host
            )
            if code != 0 and process.is_running:
                # The agent's own files may have been cleaned away; ours still tell which process it is.
                await asyncio.to_thread(_terminate, process)
            if process.is_running:
                raise AgentFailedError(host=host, reason=_reason(output))

    async def end_all(self) -> None:
        """Ends every agent whose files lie in this folder, and waits for them.

        They are asked as a service manager asks: an agent then aborts its run and signs off at the server.
        """
        for process in await asyncio.to_thread(lambda: list(self._named_processes().values())):
            await asyncio.to_thread(_terminate, process)

    async def _run(
        self, arguments: list[str], *, worker_id: str, environment: Mapping[str, str], host: str
    ) -> tuple[int, str]:
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True, mode=0o700)
        process = await asyncio.create_subprocess_exec(
            _executable(host),
            "daemon",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(worker_id, environment),
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), _COMMAND_SECONDS)
        except TimeoutError as error:
            raise AgentFailedError(host=host, reason=f"nothing for {_COMMAND_SECONDS:.0f} s.") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output.decode(errors="replace")

    def _environment(self, worker_id: str, environment: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET_PREFIXES)}
        return {
            **inherited,
            **environment,
            "CLEARML_WORKER_ID": worker_id,
            "TMPDIR": str(self._folder),
        }

    async def _settled(self, worker_id: str) -> AgentProcess | None:
        """The daemon's process, once its file names one that stays: the first number is its parent's."""
        seen: AgentProcess | None = None
        for _ in range(int(_SETTLING_SECONDS / _PAUSE_SECONDS)):
            process = (await asyncio.to_thread(self._named_processes)).get(worker_id)
            if process is not None and process == seen:
                return process
            seen = process
            await asyncio.sleep(_PAUSE_SECONDS)
        return None

    def _named_processes(self) -> dict[str, AgentProcess]:
        """The running agents that have a file in this folder, by worker id."""
        found = {}
        for file in self._folder.glob(".clearmlagent_*.tmp"):
            number = re.match(r"\.clearmlagent_(\d+)_", file.name)
            try:
                worker_id = file.read_text().partition("\n")[0].strip()
            except OSError:
                continue
            if number and (process := _process(int(number[1]))):
                found[worker_id] = process
        return found


def _executable(host: str) -> str:
    """clearml-agent from the bot's own environment, else from the PATH."""
    beside = Path(sys.executable).with_name("clearml-agent")
    found = str(beside) if beside.exists() else shutil.which("clearml-agent")
    if not found:
        raise AgentMissingError(host=host)
    return found


def _process(number: int) -> AgentProcess | None:
    try:
        process = psutil.Process(number)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return AgentProcess(number, datetime.fromtimestamp(process.create_time(), UTC))
    except psutil.Error:
        return None


def _terminate(process: AgentProcess) -> None:
    try:
        found = psutil.Process(process.id)
        found.terminate()
        found.wait(_STOPPING_SECONDS)
    except psutil.Error:
        return


def _reason(output: str) -> str:
    """The agent's own words for what went wrong: the last line that says ERROR, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.partition("ERROR: ")[2] for line in lines if "ERROR: " in line]
    return (errors or lines or ["nothing"])[-1]
