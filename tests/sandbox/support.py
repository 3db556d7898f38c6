"""Clients for the sandbox, a movable clock, and helpers to run the real SDK and agent."""

import asyncio
import base64
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.state import User

T = TypeVar("T")

TIMEOUT = 90.0
"""Seconds that a test waits for real processes; several times what they need."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


@dataclass(frozen=True)
class Answer:
    """A response of the server."""

    status: int
    envelope: Any

    @property
    def data(self) -> Any:
        return self.envelope["data"]

    @property
    def subcode(self) -> int:
        return int(self.envelope["meta"]["result_subcode"])

    @property
    def message(self) -> str:
        return str(self.envelope["meta"]["result_msg"])


@dataclass
class Client:
    """Calls the sandbox as one of its users, with Basic credentials."""

    sandbox: Sandbox
    session: aiohttp.ClientSession
    user: User
    headers: dict[str, str] = field(default_factory=dict)

    async def call(self, endpoint: str, /, **data: Any) -> Answer:
        headers = {
            "Authorization": build_basic_authorization(self.user.access_key, self.user.secret_key),
            **self.headers,
        }
        async with self.session.post(f"{self.sandbox.url}/{endpoint}", json=data, headers=headers) as response:
            return Answer(response.status, await response.json())

    async def call_for_data(self, endpoint: str, /, **data: Any) -> Any:
        """Return the data of a call that must succeed."""
        answer = await self.call(endpoint, **data)
        assert answer.status == 200, answer.message
        return answer.data

    def acting_as(self, user: User, **headers: str) -> "Client":
        return Client(self.sandbox, self.session, user, headers)


def build_basic_authorization(access_key: str, secret_key: str) -> str:
    return "Basic " + base64.b64encode(f"{access_key}:{secret_key}".encode()).decode()


async def wait_until(condition: Callable[[], T], description: str) -> T:
    """Wait until the condition is true, and return its value."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + TIMEOUT
    while not (value := condition()):
        assert loop.time() < deadline, f"timed out waiting until {description}"
        await asyncio.sleep(0.05)
    return value


def build_process_environment(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY") and not name.startswith(("CLEARML_", "TRAINS_"))
    }
    return {
        **inherited,
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        "CLEARML_API_HOST": sandbox.url,
        "CLEARML_WEB_HOST": sandbox.url,
        "CLEARML_FILES_HOST": sandbox.url,
        "CLEARML_API_ACCESS_KEY": sandbox.alice.access_key,
        "CLEARML_API_SECRET_KEY": sandbox.alice.secret_key,
        "CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL": "1",
        "CLEARML_AGENT_QUEUE_POLL_FREQ_SEC": "1",
    }


async def run_command(environment: dict[str, str], *command: str, folder: Path) -> tuple[int, str]:
    """Run a command to its end. Return its exit status and output."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


AGENT_EXECUTABLE = str(Path(sys.executable).with_name("clearml-agent"))
