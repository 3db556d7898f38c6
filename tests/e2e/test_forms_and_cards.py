"""From a card's buttons to a run's arguments, with the forms of each platform and the whole bot."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.e2e.conftest import run_bot_in_process
from tests.support.dialogs import Turn
from tests.support.platform_chats import SlackChat, TelegramChat, build_bot_settings, open_chat, play
from tests.support.polling import wait_until

CLONE = Turn("/clone baseline on two GPUs", ("Cloned as “on two GPUs”", "Draft"))
RENAME = Turn("/name on GPUs 1 and 2", ("Renamed to",))


def get_argument(sandbox: Sandbox, name: str) -> str:
    clone = find_clone(sandbox)
    value: str = clone["hyperparams"]["Args"][name]["value"]
    return value


def find_clone(sandbox: Sandbox) -> Document:
    return next(task for task in sandbox.state.tasks.values() if task.get("parent") and "two GPUs" in task["name"])


async def test_set_on_slack_opens_a_modal_and_updates_the_card(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with open_chat("slack") as chat:
        assert isinstance(chat, SlackChat)
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
            await play(chat, CLONE)
            card = next(
                message
                for message in chat.server.list_posted_messages()
                if "Edit parameters…" in message.button_labels
            )
            await chat.anna.press("Edit parameters…", on=card)
            await wait_until(lambda: chat.anna.modal and "lr" in chat.anna.modal.values)
            modal = chat.anna.modal
            assert modal
            assert modal.values["gpus"] == "0"
            modal.type("gpus", "1,2")
            await modal.submit()
            await wait_until(lambda: "Changed “on two GPUs”" in modal.visible_text)
            assert (get_argument(sandbox, "gpus"), get_argument(sandbox, "lr")) == ("1,2", "0.1")
            await play(chat, RENAME)
            await wait_until(lambda: "on GPUs 1 and 2" in card.visible_text)
    assert chat.server.api.unknown_methods == []


async def test_set_on_telegram_asks_for_a_value_and_updates_the_card(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with open_chat("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        anna, answers = chat.anna, chat.anna.chat.bot_messages
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
            await play(chat, CLONE)
            card = next(message for message in anna.chat.bot_messages if "Edit parameters…" in message.buttons)
            await anna.press(card, "Edit parameters…")
            await wait_until(lambda: "gpus" in anna.chat.bot_messages[-1].buttons)
            await anna.press(anna.chat.bot_messages[-1], "gpus")
            await wait_until(lambda: anna.chat.bot_messages[-1].forced_reply)
            await anna.reply_to(anna.chat.bot_messages[-1], "1,2")
            await wait_until(lambda: "Changed “on two GPUs”" in anna.chat.texts[-1])
            assert (get_argument(sandbox, "gpus"), get_argument(sandbox, "lr")) == ("1,2", "0.1")
            await play(chat, RENAME)
            await wait_until(lambda: "on GPUs 1 and 2" in card.text)
    assert len(answers) < len(anna.chat.bot_messages)


async def test_home_on_slack_shows_own_experiments(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with open_chat("slack") as chat:
        assert isinstance(chat, SlackChat)
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **chat.build_settings(sandbox))):
            await chat.server.socket_mode.wait_for_connection()
            await chat.anna.open_home()
            await wait_until(lambda: chat.anna.home_view and "resnet50 wide" in chat.anna.home_view.visible_text)


async def test_a_code_links_one_person_on_both_platforms(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with open_chat("slack") as slack, open_chat("telegram") as telegram:
        settings = {**telegram.build_settings(sandbox), **slack.build_settings(sandbox)}
        async with run_bot_in_process(build_bot_settings(sandbox, tmp_path, **settings)):
            await play(telegram, Turn("/whoami", ("You don't have access yet", telegram.id)))
            await play(slack, Turn("/link", ("/start ",)))
            code = slack.read_messages()[-1].split("/start ")[1].split()[0]
            await play(telegram, Turn(f"/start {code}", ("alice",)))
            await play(telegram, Turn("/whoami", ("alice", "Alice Adams")))
            await play(telegram, Turn(f"/start {code}", ("doesn't work or has expired",)))
