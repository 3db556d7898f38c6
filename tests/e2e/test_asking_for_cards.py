"""One person asks another one for a card: she on Slack, he on Telegram, and the other way round."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.services.workers.agents import LocalAgents
from clearml_chatops.services.workers.gpu_reader import GpuReader
from tests.e2e.conftest import running
from tests.support.chats import Chat, SlackChat, TelegramChat, alice, bot_settings, chat_on, hear, play
from tests.support.dialogs import Turn
from tests.support.nvml import FakeCard, FakeNvml
from tests.support.waiting import until


@pytest.fixture(autouse=True)
async def _two_cards_and_agents_that_end_with_the_test(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[None]:
    """They sign off at the sandbox, which has to be there still."""
    monkeypatch.setattr(ProcessContext, "gpu_reader", GpuReader(FakeNvml(FakeCard("GPU-0"), FakeCard("GPU-1"))))
    monkeypatch.setenv("CLEARML_AGENT_SKIP_PYTHON_ENV_INSTALL", "1")
    monkeypatch.setenv("CLEARML_AGENT_QUEUE_POLL_FREQ_SEC", "1")
    yield
    await LocalAgents(tmp_path / "agents").end_all()


@pytest.mark.parametrize("asker_is_on", ["slack", "telegram"])
async def test_a_question_goes_to_the_other_platform_and_its_answer_comes_back(
    sandbox: Sandbox, tmp_path: Path, asker_is_on: str
) -> None:
    async with chat_on("slack") as slack, chat_on("telegram") as telegram:
        asker, asked = (slack, telegram) if asker_is_on == "slack" else (telegram, slack)
        people = [
            alice(sandbox, **{asker.platform: asker.id}),
            {"name": "bob", "role": "member", "clearml_user": sandbox.bob.id, asked.platform: asked.id},
        ]
        both = {**slack.settings(sandbox), **telegram.settings(sandbox), "CHATOPS_PEOPLE": people}
        async with running(bot_settings(sandbox, tmp_path, **both)):
            bobs = "lab:bob_queue:gpu1"
            await play(
                asked,
                Turn("/queue create", ("bob_queue",)),
                Turn("/worker start gpus=1", (f"{bobs} listens on bob_queue",)),
            )
            await play(
                asker,
                Turn("/queue create", ("alice_queue",)),
                Turn("/worker start gpus=0,1", (f"Card 1: the worker {bobs} of bob is idle.",)),
            )
            await _press(asker, "Ask bob")
            await hear(asker, "bob is asked for card 1 and has a day to answer.")
            await hear(asked, "alice asks you for card 1.")
            await _press(asked, "Let alice share it")
            await hear(asked, "alice is told, and has card 1 beside you.")
            await hear(asker, "bob lets you share card 1.", "lab:alice_queue:gpu0,1 listens on alice_queue.")
            await until(lambda: len(sandbox.state.workers) == 2)
    told = [text for text in asked.heard() if "asks you for card 1" in text]
    assert len(told) == 1


async def _press(chat: Chat, label: str) -> None:
    """Presses a button of the newest message that has it."""
    if isinstance(chat, SlackChat):
        await chat.anna.press(label)
        return
    assert isinstance(chat, TelegramChat)
    message = next(item for item in reversed(chat.anna.chat.answers) if label in item.buttons)
    await chat.anna.press(message, label)
