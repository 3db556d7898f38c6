"""The shortcut in a message's menu, on messages that name an experiment and on others."""

from collections.abc import AsyncIterator

import pytest

from clearml_chatops.bot.frontends.slack import SlackFrontEnd, manifest
from clearml_chatops.bot.frontends.slack.shortcuts import CLONE_SHORTCUT, experiment_named_in
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Form, FormField, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    RememberedCards,
    both_ways,
    connected,
    first,
    registry_with_forms,
    window_of,
)
from tests.support.slack import Person, SlackServer
from tests.support.waiting import until

TASK = "0123456789abcdef0123456789abcdef"
PROJECT = "f" * 32


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot(
        {
            "/clone": Reply.of(Form("Clone", "/clone e1", (FormField("name", "name", "baseline"),))),
            "/clone e1 name='mine'": Reply.of("Cloned.", about="e2").as_card(),
        }
    )


@pytest.fixture
async def front_end(slack: SlackServer, bot: FakeBot, cards: RememberedCards) -> AsyncIterator[SlackFrontEnd]:
    async with connected(slack, bot, cards, registry=registry_with_forms()) as front_end:
        yield front_end


@both_ways
async def test_the_experiment_of_a_card_is_cloned_and_the_answer_is_in_its_thread(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, cards: RememberedCards, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", about="e1"))
    card = slack.posted(lab)[0]
    envelope = await anna.use_shortcut(CLONE_SHORTCUT, card)
    window = await window_of(anna)
    window.type("name", "mine")
    await window.submit()
    answer = await first(lambda: slack.posted(lab, thread=card.ts))
    assert answer.shown == "Cloned."
    await until(lambda: window.shown == "The answer is in a message.")
    assert {(message.about, message.conversation) for message in bot.heard} == {
        ("e1", Conversation("slack", lab, card.ts))
    }
    assert cards.live == {answer.ts}
    assert envelope.acks == 1


async def test_in_a_thread_the_experiment_of_its_card_is_meant(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    await front_end.deliver(Conversation("slack", lab), Reply.of("It runs.", about="e1"))
    card = slack.posted(lab)[0]
    said = await anna.mention(lab, "nice", thread=card.ts)
    await anna.use_shortcut(CLONE_SHORTCUT, said)
    await window_of(anna)
    await until(lambda: bot.lines[-1] == "/clone")
    assert bot.heard[-1].about == "e1"


async def test_an_id_in_a_message_that_is_no_card_is_meant_also_when_the_form_comes_back(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person
) -> None:
    elsewhere = slack.channel("elsewhere", bot_is_in=False)
    said = slack.workspace.post(elsewhere, f"look at {TASK}!", [], user=anna.id)
    await anna.use_shortcut(CLONE_SHORTCUT, said)
    window = await window_of(anna)
    window.type("name", "mine")
    await window.submit()
    answer = await first(lambda: slack.posted(anna.direct_channel))
    assert answer.shown == "Cloned."
    assert [message.about for message in bot.heard] == [TASK, TASK]


async def test_on_any_other_message_the_experiment_is_to_be_chosen(
    slack: SlackServer, front_end: SlackFrontEnd, bot: FakeBot, anna: Person, lab: str
) -> None:
    said = slack.workspace.post(lab, "lunch?", [], user=anna.id)
    await anna.use_shortcut(CLONE_SHORTCUT, said)
    await window_of(anna)
    assert (bot.heard[0].text, bot.heard[0].about) == ("/clone", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"see {TASK}", TASK),
        (f"{TASK}", TASK),
        (f"<https://app.lab/projects/{PROJECT}/experiments/{TASK}/output/log>", TASK),
        (f"<https://app.lab/projects/{PROJECT}/tasks/{TASK}|the run>", TASK),
        (f"{PROJECT} https://app.lab/projects/{PROJECT}/experiments/{TASK}", TASK),
        (f"https://app.lab/projects/{PROJECT}", ""),
        (f"{TASK}0", ""),
        (TASK.upper(), ""),
        ("", ""),
    ],
)
def test_an_experiment_is_found_in_a_text(text: str, found: str) -> None:
    assert experiment_named_in({"text": text}) == found


def test_an_experiment_is_found_in_blocks_and_attachments() -> None:
    blocks = [
        {"type": "rich_text", "elements": [{"elements": [{"type": "link", "url": f"https://x/tasks/{TASK}"}]}]}
    ]
    assert experiment_named_in({"text": "", "blocks": blocks}) == TASK
    assert experiment_named_in({"attachments": [{"text": TASK}], "ts": "1"}) == TASK


def test_the_manifest_has_the_shortcut() -> None:
    [shortcut] = manifest(Registry([]))["features"]["shortcuts"]
    assert shortcut["callback_id"] == CLONE_SHORTCUT
