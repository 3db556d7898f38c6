"""The experiment select: answers in time, within Slack's limits, and only people with access."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import FieldKind, Form, FormField, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    TEST_TIMING,
    FakeCards,
    build_form_registry,
    connect_front_end,
    over_both_transports,
    wait_for_modal,
)
from tests.support.polling import wait_until
from tests.support.slack import Modal, Person, SlackServer

CLONE_FORM = Form(
    "Clone",
    "/clone",
    (
        FormField("experiment", "experiment", kind=FieldKind.EXPERIMENT, positional=True, required=True),
        FormField("name", "name"),
    ),
)
NASTY = "<!channel> *x* & \u202e" + "n" * 200


class FakeSuggester:
    """Finds experiments like the dispatcher, once `may_answer` is set."""

    def __init__(self) -> None:
        self.experiments = [("3f2a9c1e", "baseline"), ("81c0aa12", "long baseline"), ("99aa0012", NASTY)]
        self.known_people: set[str] | None = None
        self.messages: list[IncomingMessage] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fails = False

    async def __call__(self, message: IncomingMessage) -> list[tuple[str, str]]:
        self.messages.append(message)
        await self.may_answer.wait()
        if self.fails:
            raise ConnectionError
        if self.known_people is not None and message.sender.user_id not in self.known_people:
            return []
        return [item for item in self.experiments if message.text in item[1]][:100]


@pytest.fixture
def suggestions() -> FakeSuggester:
    return FakeSuggester()


@pytest.fixture
async def modal(
    slack: SlackServer, bot: FakeBot, cards: FakeCards, suggestions: FakeSuggester, anna: Person, lab: str
) -> AsyncIterator[Modal]:
    bot.replies["/clone"] = Reply.of(CLONE_FORM)
    timing = replace(TEST_TIMING, suggestion_timeout=timedelta(seconds=0.2))
    async with connect_front_end(
        slack, bot, cards, registry=build_form_registry(), suggest=suggestions, timing=timing
    ):
        await anna.send_slash_command("/clone", "", lab)
        yield await wait_for_modal(anna)


@over_both_transports
async def test_experiment_is_chosen_by_part_of_its_name(
    modal: Modal, bot: FakeBot, suggestions: FakeSuggester, anna: Person
) -> None:
    bot.replies["/clone '81c0aa12' name='mine'"] = Reply.of("Cloned.")
    options = await modal.search("experiment", "long")
    assert [option["text"]["text"] for option in options] == ["long baseline"]
    assert [option["description"]["text"] for option in options] == ["81c0aa12"]
    assert (suggestions.messages[0].sender.user_id, suggestions.messages[0].text) == (anna.id, "long")
    modal.choose("experiment", options[0])
    modal.type("name", "mine")
    await modal.submit()
    await wait_until(lambda: modal.visible_text == "Cloned.")


async def test_the_choice_stays_when_the_form_is_refused(modal: Modal) -> None:
    options = await modal.search("experiment", "")
    modal.choose("experiment", options[2])
    await modal.submit()
    await wait_until(lambda: "No such command." in modal.visible_text)
    assert modal.values["experiment"] == "99aa0012"
    assert [block["element"]["initial_option"]["text"] for block in modal.inputs[:1]] == [options[2]["text"]]


async def test_names_are_escaped_and_truncated_and_limited_to_a_hundred(
    modal: Modal, suggestions: FakeSuggester
) -> None:
    suggestions.experiments = [("e" * 32, NASTY), ("f" * 32, " "), *((f"{n:032}", "x") for n in range(200))]
    options = await modal.search("experiment", "")
    assert len(options) == 100
    assert options[0]["text"]["text"].startswith("&lt;!channel&gt; *x* &amp; \N{REPLACEMENT CHARACTER}nn")
    assert options[1]["text"]["text"] == "f" * 32
    assert options[0]["text"]["emoji"] is False


async def test_slow_search_returns_remembered_experiments_in_time(
    slack: SlackServer, modal: Modal, suggestions: FakeSuggester
) -> None:
    await modal.search("experiment", "")
    suggestions.may_answer.clear()
    assert [option["value"] for option in await modal.search("experiment", "LONG")] == ["81c0aa12"]
    assert [option["value"] for option in await modal.search("experiment", "3f2a")] == ["3f2a9c1e"]
    assert slack.timed_out == []


async def test_late_search_result_is_remembered(modal: Modal, suggestions: FakeSuggester) -> None:
    suggestions.may_answer.clear()
    assert await modal.search("experiment", "base") == []
    suggestions.may_answer.set()
    suggestions.may_answer.clear()
    assert [option["value"] for option in await modal.search("experiment", "base")] == ["3f2a9c1e", "81c0aa12"]


async def test_failed_search_returns_remembered_experiments(modal: Modal, suggestions: FakeSuggester) -> None:
    await modal.search("experiment", "")
    suggestions.fails = True
    assert len(await modal.search("experiment", "base")) == 2


async def test_unknown_user_gets_no_options_even_after_losing_access(
    modal: Modal, suggestions: FakeSuggester
) -> None:
    assert len(await modal.search("experiment", "")) == 3
    suggestions.known_people = set()
    assert await modal.search("experiment", "base") == []
    assert await modal.search("experiment", "") == []
    suggestions.may_answer.clear()
    assert await modal.search("experiment", "") == []


async def test_slow_search_blocks_nothing_else(
    slack: SlackServer, modal: Modal, suggestions: FakeSuggester, bot: FakeBot, anna: Person, lab: str
) -> None:
    suggestions.may_answer.clear()
    search = await modal.start_search("experiment", "x")
    await (await anna.send_slash_command("/find", "", lab)).acknowledged.wait()
    await wait_until(lambda: bot.lines[-1] == "/find")
    await search.acknowledged.wait()
    assert search.ack_payload == {"options": []}
