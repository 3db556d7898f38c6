"""From a list of experiments to the table of what happened to each, with the buttons of each platform."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import Document
from tests.e2e.conftest import run_bot_in_process
from tests.support.dialogs import Turn
from tests.support.platform_chats import SlackChat, TelegramChat, build_bot_settings, open_chat, play
from tests.support.polling import wait_until

COUNT = 60
ENQUEUE = Turn("/enqueue —find “sweep status=draft” queue=default", (f"Enqueue {COUNT} experiments in default?",))
BUTTON = f"Enqueue {COUNT}"
RESULT = f"Enqueued {COUNT} experiments in default."


def add_drafts(sandbox: Sandbox) -> list[Document]:
    return [
        sandbox.state.add_task(
            f"sweep {number:02}",
            user=sandbox.alice.id,
            script={"diff": "print()", "entry_point": "train.py"},
        )
        for number in range(COUNT)
    ]


async def test_a_list_is_confirmed_on_slack(sandbox: Sandbox, tmp_path: Path) -> None:
    drafts = add_drafts(sandbox)
    async with open_chat("slack") as chat:
        assert isinstance(chat, SlackChat)
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
            await play(chat, ENQUEUE)
            await chat.anna.press(BUTTON)
            await wait_until(lambda: any(RESULT in text for text in chat.read_messages()))
    assert {task["status"] for task in drafts} == {"queued"}
    assert chat.server.api.unknown_methods == []


async def test_a_list_is_confirmed_on_telegram(sandbox: Sandbox, tmp_path: Path) -> None:
    drafts = add_drafts(sandbox)
    async with open_chat("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
            await play(chat, ENQUEUE)
            question = next(message for message in chat.anna.chat.bot_messages if BUTTON in message.buttons)
            await chat.anna.press(question, BUTTON)
            await wait_until(lambda: any(RESULT in text for text in chat.anna.chat.texts))
    assert {task["status"] for task in drafts} == {"queued"}
