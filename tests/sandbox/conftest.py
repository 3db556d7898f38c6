"""Fixtures: a separate sandbox for each test, and clients for it."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox

from .support import Client, Clock, build_process_environment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[Sandbox]:
    """A sandbox with a clock that the test moves."""
    async with Sandbox(clock=clock) as running:
        yield running


@pytest.fixture
async def live_sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox with the real time, for real processes."""
    async with Sandbox() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as opened:
        yield opened


@pytest.fixture
def client(sandbox: Sandbox, session: aiohttp.ClientSession) -> Client:
    return Client(sandbox, session, sandbox.alice)


@pytest.fixture
def live_client(live_sandbox: Sandbox, session: aiohttp.ClientSession) -> Client:
    return Client(live_sandbox, session, live_sandbox.alice)


@pytest.fixture
def environment(live_sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Return the environment for SDK and agent: the sandbox's URL, Alice's keys, and folders of this test only."""
    return build_process_environment(live_sandbox, tmp_path)
