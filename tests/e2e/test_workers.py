"""What should run is back, whatever is killed without warning: the agent, the bot, or both."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.workers.agents import AgentProcess, LocalAgents
from tests.e2e.conftest import process_running
from tests.support.agents import killed, quick_agents
from tests.support.chats import TelegramChat, bot_settings, chat_on, play
from tests.support.dialogs import Turn
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)

_WORKER = "lab:alice_queue:cpu"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramChat]:
    async with chat_on("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        yield chat


async def _agents(folder: Path) -> dict[str, AgentProcess]:
    return await LocalAgents(folder / "data" / "agents").running()


async def _started(chat: TelegramChat, folder: Path) -> psutil.Process:
    """The agent of a worker that Anna has just started."""
    await play(chat, Turn("/queue create", ("yours",)), Turn("/worker start gpus=none", (f"{_WORKER} listens",)))
    (agent,) = (await _agents(folder)).values()
    return psutil.Process(agent.id)


async def _is_back(sandbox: Sandbox, folder: Path, dead: psutil.Process) -> bool:
    """Whether exactly one agent runs, another one than before, which the server lists as having begun since."""
    agents = await _agents(folder)
    listed = [worker for worker in sandbox.state.workers.values() if worker.id == _WORKER]
    return (
        list(agents) == [_WORKER]
        and agents[_WORKER].id != dead.pid
        and len(listed) == 1
        and listed[0].register_time.timestamp() > dead.create_time() + 1
    )


async def _killed(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def test_a_killed_agent_is_back(sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path) -> None:
    settings = bot_settings(sandbox, tmp_path / "data", **telegram.settings(sandbox))
    async with process_running(settings, tmp_path):
        agent = await _started(telegram, tmp_path)
        await killed(agent)
        await until(lambda: _is_back(sandbox, tmp_path, agent))


async def test_an_agent_outlives_its_bot_and_is_the_next_ones(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = bot_settings(sandbox, tmp_path / "data", **telegram.settings(sandbox))
    async with process_running(settings, tmp_path) as bot:
        agent = await _started(telegram, tmp_path)
        await _killed(bot)
    async with process_running(settings, tmp_path):
        await play(telegram, Turn("/worker", (_WORKER, "idle")))
        assert [item.id for item in (await _agents(tmp_path)).values()] == [agent.pid], "neither ended nor doubled"
        await killed(agent)
        await until(lambda: _is_back(sandbox, tmp_path, agent))
        await play(telegram, Turn("/worker stop", (f"Stopped {_WORKER}",)))
    assert await _agents(tmp_path) == {}


async def test_what_ran_is_back_when_bot_and_agent_were_killed(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = bot_settings(sandbox, tmp_path / "data", **telegram.settings(sandbox))
    async with process_running(settings, tmp_path) as bot:
        agent = await _started(telegram, tmp_path)
        await _killed(bot)
        await killed(agent)
    async with process_running(settings, tmp_path):
        await until(lambda: _is_back(sandbox, tmp_path, agent))


async def test_a_bot_that_is_killed_in_the_middle_of_a_start_leaves_one_agent(
    sandbox: Sandbox, telegram: TelegramChat, tmp_path: Path
) -> None:
    settings = bot_settings(sandbox, tmp_path / "data", **telegram.settings(sandbox))
    async with process_running(settings, tmp_path) as bot:
        await play(telegram, Turn("/queue create", ("yours",)))
        await telegram.write("/worker start gpus=none")

        async def has_begun() -> bool:
            return _WORKER in await _agents(tmp_path)

        await until(has_begun)
        await _killed(bot)
    async with process_running(settings, tmp_path):

        async def is_known() -> bool:
            await play(telegram, Turn("/worker list", ("",)))
            return "idle" in telegram.heard()[-1]

        await until(is_known)
        assert list(await _agents(tmp_path)) == [_WORKER]
