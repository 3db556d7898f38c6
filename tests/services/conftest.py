"""Fixtures: a person with a queue and a draft, and a program with a running watcher."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.sandbox.support import Client
from tests.support.program import RunningProgram, run_program
from tests.support.watcher_setup import ManualClock, WatcherSetup, build_watcher


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[WatcherSetup]:
    """A program with a manual clock, after the first poll of its watcher."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(clock=clock))
        add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
        program = await stack.enter_async_context(run_program(sandbox, tmp_path))
        session = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        setup = WatcherSetup(
            clock, sandbox, program, Client(sandbox, session, sandbox.alice), build_watcher(program, clock)
        )
        await program.ask("/queue create")
        await setup.poll()
        yield setup


@pytest.fixture
async def ready(program: RunningProgram, baseline: Document) -> RunningProgram:
    """A program whose person has a queue and a clone of the baseline as current experiment."""
    await program.ask("/queue create")
    await program.ask(f"/clone {baseline['id']} two GPUs")
    return program
