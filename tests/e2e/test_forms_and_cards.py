"""From a card's buttons to a run's arguments, with the forms of each platform and the whole bot behind them."""

from pathlib import Path

from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.sandbox.documents import Document
from tests.e2e.conftest import running
from tests.support.chats import SlackChat, TelegramChat, bot_settings, chat_on, play
from tests.support.dialogs import Turn
from tests.support.waiting import until

CLONE = Turn("/clone baseline on two cards", ("Cloned as “on two cards”", "Draft"))
RENAME = Turn("/name on cards 1 and 2", ("Now called",))


def argument(sandbox: Sandbox, name: str) -> str:
    clone = clone_in(sandbox)
    value: str = clone["hyperparams"]["Args"][name]["value"]
    return value


def clone_in(sandbox: Sandbox) -> Document:
    return next(task for task in sandbox.state.tasks.values() if task.get("parent") and "card" in task["name"])


async def test_set_on_slack_is_a_window_and_the_card_stays_true(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with chat_on("slack") as chat:
        assert isinstance(chat, SlackChat)
        async with running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))):
            await play(chat, CLONE)
            card = next(message for message in chat.server.posted() if "Set…" in message.labels)
            await chat.anna.press("Set…", on=card)
            await until(lambda: chat.anna.window and "lr" in chat.anna.window.values)
            window = chat.anna.window
            assert window
            assert window.values["gpus"] == "0"
            window.type("gpus", "1,2")
            await window.submit()
            await until(lambda: "Changed “on two cards”" in window.shown)
            assert (argument(sandbox, "gpus"), argument(sandbox, "lr")) == ("1,2", "0.1")
            await play(chat, RENAME)
            await until(lambda: "on cards 1 and 2" in card.shown)
    assert chat.server.api.unknown == []


async def test_set_on_telegram_is_a_question_and_the_card_stays_true(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with chat_on("telegram") as chat:
        assert isinstance(chat, TelegramChat)
        anna, answers = chat.anna, chat.anna.chat.answers
        async with running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))):
            await play(chat, CLONE)
            card = next(message for message in anna.chat.answers if "Set…" in message.buttons)
            await anna.press(card, "Set…")
            await until(lambda: "gpus" in anna.chat.answers[-1].buttons)
            await anna.press(anna.chat.answers[-1], "gpus")
            await until(lambda: anna.chat.answers[-1].forced_reply)
            await anna.reply_to(anna.chat.answers[-1], "1,2")
            await until(lambda: "Changed “on two cards”" in anna.chat.texts[-1])
            assert (argument(sandbox, "gpus"), argument(sandbox, "lr")) == ("1,2", "0.1")
            await play(chat, RENAME)
            await until(lambda: "on cards 1 and 2" in card.text)
    assert len(answers) < len(anna.chat.answers)


async def test_home_on_slack_shows_what_is_ones_own(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with chat_on("slack") as chat:
        assert isinstance(chat, SlackChat)
        async with running(bot_settings(sandbox, tmp_path, **chat.settings(sandbox))):
            await chat.server.sockets.wait_for_connection()
            await chat.anna.open_home()
            await until(lambda: chat.anna.home and "resnet50 wide" in chat.anna.home.shown)


async def test_one_person_on_both_platforms_by_a_code(sandbox: Sandbox, tmp_path: Path) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    async with chat_on("slack") as slack, chat_on("telegram") as telegram:
        settings = {**telegram.settings(sandbox), **slack.settings(sandbox)}
        async with running(bot_settings(sandbox, tmp_path, **settings)):
            await play(telegram, Turn("/whoami", ("I do not know you yet", telegram.id)))
            await play(slack, Turn("/link", ("/start ",)))
            code = slack.heard()[-1].split("/start ")[1].split()[0]
            await play(telegram, Turn(f"/start {code}", ("alice",)))
            await play(telegram, Turn("/whoami", ("alice", "Alice Adams")))
            await play(telegram, Turn(f"/start {code}", ("wrong, used or older",)))
