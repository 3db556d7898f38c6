"""Workers are restarted after the agent, the bot or both were killed without warning."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from tests.e2e.conftest import run_bot_as_subprocess
from tests.support.agents import kill, quick_agents
from tests.support.dialogs import Turn
from tests.support.platform_chats import TelegramChat, build_bot_settings, open_chat, play
from tests.support.polling import wait_until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

_WORKER = "lab:alice_queue:cpu"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramChat]:
    async with open_chat("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        yield chat


async def _list_agents(folder: Path) -> dict[str, AgentProcess]:
    return await LocalAgents(folder / "data" / "agents").list_running()


async def _start_worker(chat: TelegramChat, folder: Path) -> psutil.Process:
    """Start a worker as Anna, and return its agent."""
    await play(chat, Turn("/queue create", ("yours",)), Turn("/worker start gpus=none", (f"{_WORKER} listens",)))
    (agent,) = (await _list_agents(folder)).values()
    return psutil.Process(agent.id)


async def _is_restarted(sandbox: Sandbox, folder: Path, killed_agent: psutil.Process) -> bool:
    """Return whether exactly one agent runs, and the server lists it as a new one."""
    agents = await _list_agents(folder)
    listed = [worker for worker in sandbox.state.workers.values() if worker.id == _WORKER]
    return (
        list(agents) == [_WORKER]
        and agents[_WORKER].id != killed_agent.pid
        and len(listed) == 1
        and listed[0].register_time.timestamp() > killed_agent.create_time() + 1
    )


async def _kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def test_a_killed_agent_is_restarted(sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path) -> None:
    settings = build_bot_settings(sandbox, tmp_path / "data", **telegram.build_settings(sandbox))
    async with run_bot_as_subprocess(settings, tmp_path):
        agent = await _start_worker(telegram, tmp_path)
        await kill(agent)
        await wait_until(lambda: _is_restarted(sandbox, tmp_path, agent))


async def test_an_agent_outlives_its_bot_and_is_adopted_by_the_next_one(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = build_bot_settings(sandbox, tmp_path / "data", **telegram.build_settings(sandbox))
    async with run_bot_as_subprocess(settings, tmp_path) as bot:
        agent = await _start_worker(telegram, tmp_path)
        await _kill(bot)
    async with run_bot_as_subprocess(settings, tmp_path):
        await play(telegram, Turn("/worker", (_WORKER, "Idle")))
        assert [item.id for item in (await _list_agents(tmp_path)).values()] == [agent.pid], (
            "neither stopped nor started twice"
        )
        await kill(agent)
        await wait_until(lambda: _is_restarted(sandbox, tmp_path, agent))
        await play(telegram, Turn("/worker stop", (f"Stopped {_WORKER}",)))
    assert await _list_agents(tmp_path) == {}


async def test_a_worker_is_restarted_after_bot_and_agent_were_killed(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = build_bot_settings(sandbox, tmp_path / "data", **telegram.build_settings(sandbox))
    async with run_bot_as_subprocess(settings, tmp_path) as bot:
        agent = await _start_worker(telegram, tmp_path)
        await _kill(bot)
        await kill(agent)
    async with run_bot_as_subprocess(settings, tmp_path):
        await wait_until(lambda: _is_restarted(sandbox, tmp_path, agent))


async def test_a_bot_killed_while_starting_a_worker_leaves_one_agent(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = build_bot_settings(sandbox, tmp_path / "data", **telegram.build_settings(sandbox))
    async with run_bot_as_subprocess(settings, tmp_path) as bot:
        await play(telegram, Turn("/queue create", ("yours",)))
        await telegram.write("/worker start gpus=none")

        async def has_started() -> bool:
            return _WORKER in await _list_agents(tmp_path)

        await wait_until(has_started)
        await _kill(bot)
    async with run_bot_as_subprocess(settings, tmp_path):

        async def is_known() -> bool:
            await play(telegram, Turn("/worker list", ("",)))
            return "Idle" in telegram.read_messages()[-1]

        await wait_until(is_known)
        assert list(await _list_agents(tmp_path)) == [_WORKER]
