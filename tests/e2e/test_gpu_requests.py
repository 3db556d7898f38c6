"""GPU requests between a person on Slack and a person on Telegram, in both directions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.e2e.conftest import run_bot_in_process
from tests.support.dialogs import Turn
from tests.support.nvml import FakeGpu, FakeNvml
from tests.support.platform_chats import (
    Chat,
    SlackChat,
    TelegramChat,
    build_alice_entry,
    build_bot_settings,
    open_chat,
    play,
    wait_for_messages,
)
from tests.support.polling import wait_until


@pytest.fixture(autouse=True)
async def _two_gpus_and_agent_cleanup(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[None]:
    """Provide two GPUs, and stop all agents at the end while the sandbox still runs: they sign off there."""
    monkeypatch.setattr(ProcessContext, "gpu_reader", GpuReader(FakeNvml(FakeGpu("GPU-0"), FakeGpu("GPU-1"))))
    monkeypatch.setenv("CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL", "1")
    monkeypatch.setenv("CLEARML_AGENT_QUEUE_POLL_FREQ_SEC", "1")
    yield
    await LocalAgents(tmp_path / "agents").stop_all()


@pytest.mark.parametrize("requester_platform", ["slack", "telegram"])
async def test_a_gpu_request_goes_to_the_other_platform_and_its_answer_comes_back(
    sandbox: Sandbox, tmp_path: Path, requester_platform: str
) -> None:
    async with open_chat("slack") as slack, open_chat("telegram") as telegram:
        requester, owner = (slack, telegram) if requester_platform == "slack" else (telegram, slack)
        people = [
            build_alice_entry(sandbox, **{requester.platform: requester.id}),
            {"name": "bob", "role": "member", "clearml_user": sandbox.bob.id, owner.platform: owner.id},
        ]
        platform_settings = {
            **slack.build_settings(sandbox),
            **telegram.build_settings(sandbox),
            "CHATOPS_PEOPLE": people,
        }
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **platform_settings)):
            bob_worker = "lab:bob_queue:gpu1"
            await play(
                owner,
                Turn("/queue create", ("bob_queue",)),
                Turn("/worker start gpus=1", (f"{bob_worker} listens on bob_queue",)),
            )
            await play(
                requester,
                Turn("/queue create", ("alice_queue",)),
                Turn("/worker start gpus=0,1", (f"GPU 1: worker {bob_worker} (bob) is idle.",)),
            )
            await _press(requester, "Ask bob")
            await wait_for_messages(requester, "Asked bob for GPU 1. You get the answer here, within a day.")
            await wait_for_messages(owner, "alice would like to use GPU 1.")
            await _press(owner, "Share with alice")
            await wait_for_messages(owner, "Accepted. alice shares GPU 1 with you.")
            await wait_for_messages(
                requester, "bob lets you share GPU 1.", "lab:alice_queue:gpu0,1 listens on alice_queue."
            )
            await wait_until(lambda: len(sandbox.state.workers) == 2)
    requests = [text for text in owner.read_messages() if "would like to use GPU 1" in text]
    assert len(requests) == 1


async def _press(chat: Chat, label: str) -> None:
    """Press a button of the newest message that has it."""
    if isinstance(chat, SlackChat):
        await chat.anna.press(label)
        return
    assert isinstance(chat, TelegramChat)
    message = next(item for item in reversed(chat.anna.chat.bot_messages) if label in item.buttons)
    await chat.anna.press(message, label)
