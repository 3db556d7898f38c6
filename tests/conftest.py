"""Fixtures for all tests: a clean environment, no network beyond this machine, a sandbox, the program."""

import os
import socket
from collections.abc import AsyncIterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.clearml_gateway import session
from tests.support.agents import quick_agents
from tests.support.program import RunningProgram, run_program

_read_configuration = session.load_configuration
_END_TO_END_FOLDER = Path(__file__).parent / "e2e"
_SETTING_PREFIXES = ("CLEARML_", "CHATOPS_", "SLACK_", "TELEGRAM_", "TRAINS_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests: those of the whole program, and those with real agents."""
    for item in items:
        has_agents = quick_agents.__name__ in getattr(item, "fixturenames", ())
        if item.path.is_relative_to(_END_TO_END_FOLDER) or has_agents:
            item.add_marker(pytest.mark.end_to_end)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove the settings, credentials and proxies of the person who runs the tests."""
    for name in list(os.environ):
        if name.startswith(_SETTING_PREFIXES) or name.lower().endswith("_proxy") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(tmp_path / "no-clearml.conf"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects to another machine, and name the machine."""
    connect = socket.socket.connect

    def connect_to_loopback(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
            message = f"a test tried to reach {address[0]}"
            raise AssertionError(message)
        connect(self, address)  # type: ignore[arg-type]  # unchanged from the caller

    monkeypatch.setattr(socket.socket, "connect", connect_to_loopback)


@pytest.fixture(autouse=True)
def _cache_sdk_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the SDK's defaults once: it takes a third of a second, and without a clearml.conf they never change."""

    def read_cached_configuration() -> Any:
        if Path(os.environ["CLEARML_CONFIG_FILE"]).exists():
            return _read_configuration()
        return deepcopy(_read_sdk_defaults())

    monkeypatch.setattr(session, "load_configuration", read_cached_configuration)


@cache
def _read_sdk_defaults() -> Any:
    return _read_configuration()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A ClearML server for one test, empty except for its users and the queue `default`."""
    async with Sandbox() as server:
        yield server


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    """The program at Alice's terminal, connected to the sandbox. Its watcher polls when a test tells it to."""
    async with run_program(sandbox, tmp_path / "data") as running:
        yield running


@pytest.fixture
def baseline(sandbox: Sandbox) -> Document:
    """The demo's finished experiment, in a sandbox with all demo experiments."""
    return add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
