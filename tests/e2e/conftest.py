"""The whole bot, in this process or as the installed program in its own process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.bot.run_command import run_bot
from clearml_chatops.bot.settings import Settings
from tests.support.platform_chats import PLATFORMS, Chat, open_chat
from tests.support.processes import PROGRAM, build_process_environment


@pytest.fixture(params=PLATFORMS)
async def chat(request: pytest.FixtureRequest) -> AsyncIterator[Chat]:
    """Anna's chat with the bot, on each platform."""
    async with open_chat(request.param) as chat:
        yield chat


@asynccontextmanager
async def run_bot_in_process(settings: dict[str, Any]) -> AsyncIterator[None]:
    """Run the bot in this process inside the block."""
    stop_event = asyncio.Event()
    bot = asyncio.create_task(run_bot(Settings.model_validate(settings), stop_event=stop_event))
    try:
        yield
    finally:
        stop_event.set()
        await bot


@asynccontextmanager
async def run_bot_as_subprocess(
    settings: dict[str, Any], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the installed program inside the block. It is killed at the end if it still runs."""
    variables = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "run", env=build_process_environment(folder, **variables), stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
