"""The clone shortcut, on messages that name an experiment and on others."""

from collections.abc import AsyncIterator

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, build_manifest
from clearml_chatops.bot.frontends.slack.shortcuts import CLONE_SHORTCUT, find_experiment_id
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Form, FormField, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    FakeCards,
    build_form_registry,
    connect_front_end,
    over_both_transports,
    wait_for_first,
    wait_for_modal,
)
from tests.support.polling import wait_until
from tests.support.slack import Person, SlackServer

TASK_ID = "0123456789abcdef0123456789abcdef"
PROJECT_ID = "f" * 32


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot(
        {
            "/clone": Reply.of(Form("Clone", "/clone e1", (FormField("name", "name", "baseline"),))),
            "/clone e1 name='mine'": Reply.of("Cloned.", experiment_id="e2").as_card(),
        }
    )


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: FakeCards) -> AsyncIterator[SlackFrontEnd]:
    async with connect_front_end(slack, bot, cards, registry=build_form_registry()) as front_end:
        yield front_end


@over_both_transports
async def test_shortcut_on_card_clones_its_experiment_in_thread(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: FakeCards, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", experiment_id="e1"))
    card = slack.list_posted_messages(lab)[0]
    envelope = await anna.use_shortcut(CLONE_SHORTCUT, card)
    modal = await wait_for_modal(anna)
    modal.type("name", "mine")
    await modal.submit()
    answer = await wait_for_first(lambda: slack.list_posted_messages(lab, thread=card.ts))
    assert answer.visible_text == "Cloned."
    await wait_until(lambda: modal.visible_text == "The answer was sent as a message.")
    assert {(message.context_experiment_id, message.conversation) for message in bot.messages} == {
        ("e1", Conversation("slack", lab, card.ts))
    }
    assert cards.card_message_ids == {answer.ts}
    assert envelope.acks == 1


async def test_shortcut_in_thread_of_card_uses_its_experiment(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", experiment_id="e1"))
    card = slack.list_posted_messages(lab)[0]
    message = await anna.mention_bot(lab, "nice", thread=card.ts)
    await anna.use_shortcut(CLONE_SHORTCUT, message)
    await wait_for_modal(anna)
    await wait_until(lambda: bot.lines[-1] == "/clone")
    assert bot.messages[-1].context_experiment_id == "e1"


async def test_id_in_plain_message_is_used_also_at_submission(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    other_channel = slack.add_channel("elsewhere", has_bot=False)
    posted_message = slack.workspace.post(other_channel, f"look at {TASK_ID}!", [], user=anna.id)
    await anna.use_shortcut(CLONE_SHORTCUT, posted_message)
    modal = await wait_for_modal(anna)
    modal.type("name", "mine")
    await modal.submit()
    answer = await wait_for_first(lambda: slack.list_posted_messages(anna.direct_channel))
    assert answer.visible_text == "Cloned."
    assert [message.context_experiment_id for message in bot.messages] == [TASK_ID, TASK_ID]


async def test_shortcut_on_other_message_asks_for_experiment(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    message = slack.workspace.post(lab, "lunch?", [], user=anna.id)
    await anna.use_shortcut(CLONE_SHORTCUT, message)
    await wait_for_modal(anna)
    assert (bot.messages[0].text, bot.messages[0].context_experiment_id) == ("/clone", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"see {TASK_ID}", TASK_ID),
        (f"{TASK_ID}", TASK_ID),
        (f"<https://app.lab/projects/{PROJECT_ID}/experiments/{TASK_ID}/output/log>", TASK_ID),
        (f"<https://app.lab/projects/{PROJECT_ID}/tasks/{TASK_ID}|the run>", TASK_ID),
        (f"{PROJECT_ID} https://app.lab/projects/{PROJECT_ID}/experiments/{TASK_ID}", TASK_ID),
        (f"https://app.lab/projects/{PROJECT_ID}", ""),
        (f"{TASK_ID}0", ""),
        (TASK_ID.upper(), ""),
        ("", ""),
    ],
)
def test_experiment_id_is_found_in_text(text: str, expected: str) -> None:
    assert find_experiment_id({"text": text}) == expected


def test_experiment_id_is_found_in_blocks_and_attachments() -> None:
    blocks = [
        {"type": "rich_text", "elements": [{"elements": [{"type": "link", "url": f"https://x/tasks/{TASK_ID}"}]}]}
    ]
    assert find_experiment_id({"text": "", "blocks": blocks}) == TASK_ID
    assert find_experiment_id({"attachments": [{"text": TASK_ID}], "ts": "1"}) == TASK_ID


def test_the_manifest_has_the_shortcut() -> None:
    [shortcut] = build_manifest(Registry([]))["features"]["shortcuts"]
    assert shortcut["callback_id"] == CLONE_SHORTCUT
