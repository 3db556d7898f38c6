"""The main job from a chat, with the platforms' real libraries, the real ClearML SDK and a real clearml-agent."""

from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.e2e.conftest import run_bot_in_process
from tests.support.agents import quick_agents
from tests.support.dialogs import MAIN_JOB_DIALOG, Turn
from tests.support.platform_chats import Chat, build_bot_settings, play, wait_for_messages

pytestmark = pytest.mark.usefixtures(quick_agents.__name__)


async def test_the_main_job_from_a_chat(sandbox: Sandbox, chat: Chat, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    settings = build_bot_settings(sandbox, tmp_path, CHATOPS_WATCH_SECONDS=0.2, **chat.build_settings(sandbox))
    async with run_bot_in_process(settings):
        await play(chat, *MAIN_JOB_DIALOG)
        await wait_for_messages(chat, "“on two GPUs” started on lab:alice_queue:cpu.")
        await wait_for_messages(chat, "“on two GPUs” completed after")
        await play(
            chat,
            Turn("/log 12", ("gpus=1,2 lr=0.05 epochs=2",)),
            Turn("/worker stop", ("Stopped lab:alice_queue:cpu",)),
        )
    notifications = [
        text for text in chat.read_messages() if "” started on " in text or "” completed after" in text
    ]
    assert len(notifications) == 2, "each comes once"
