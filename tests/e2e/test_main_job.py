"""The main job from a chat, with the platforms' real libraries, the real ClearML SDK and a real clearml-agent."""

from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import running
from tests.support.agents import quick_agents
from tests.support.chats import Chat, bot_settings, hear, play
from tests.support.dialogs import MAIN_JOB, Turn

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_the_main_job_is_done_from_a_phone_or_a_channel(
    sandbox: Sandbox, chat: Chat, tmp_path: Path
) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **chat.settings(sandbox))
    async with running(settings):
        await play(chat, *MAIN_JOB)
        await hear(chat, "“on two cards” has left Pending", "picked up by lab:alice_queue:cpu")
        await hear(chat, "“on two cards” is Completed after")
        await play(
            chat,
            Turn("/log 12", ("gpus=1,2 lr=0.05 epochs=2",)),
            Turn("/worker stop", ("Stopped lab:alice_queue:cpu",)),
        )
    told = [text for text in chat.heard() if "has left Pending" in text or "is Completed after" in text]
    assert len(told) == 2, "each is told once"
