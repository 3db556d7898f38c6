"""Experiments found while one types: in time, within Slack's limits, and for those who may see them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import FieldKind, Form, FormField, Reply
from tests.frontends.conftest import FakeBot
from tests.frontends.slack.conftest import (
    QUICK,
    RememberedCards,
    both_ways,
    connected,
    registry_with_forms,
    window_of,
)
from tests.support.slack import Person, SlackServer, Window
from tests.support.waiting import until

CLONE = Form(
    "Clone",
    "/clone",
    (
        FormField("experiment", "experiment", kind=FieldKind.EXPERIMENT, positional=True, required=True),
        FormField("name", "name"),
    ),
)
NASTY = "<!channel> *x* & \u202e" + "n" * 200


class Suggestions:
    """Finds experiments as the dispatcher does, when it may."""

    def __init__(self) -> None:
        self.experiments = [("3f2a9c1e", "baseline"), ("81c0aa12", "long baseline"), ("99aa0012", NASTY)]
        self.known_people: set[str] | None = None
        self.asked: list[IncomingMessage] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.fails = False

    async def __call__(self, message: IncomingMessage) -> list[tuple[str, str]]:
        self.asked.append(message)
        await self.may_answer.wait()
        if self.fails:
            raise ConnectionError
        if self.known_people is not None and message.sender.user_id not in self.known_people:
            return []
        return [item for item in self.experiments if message.text in item[1]][:100]


@pytest.fixture
def suggestions() -> Suggestions:
    return Suggestions()


@pytest.fixture
async def window(
    slack: SlackServer, bot: FakeBot, cards: RememberedCards, suggestions: Suggestions, anna: Person, lab: str
) -> AsyncIterator[Window]:
    bot.replies["/clone"] = Reply.of(CLONE)
    timing = replace(QUICK, suggesting=timedelta(seconds=0.2))
    async with connected(slack, bot, cards, registry=registry_with_forms(), suggest=suggestions, timing=timing):
        await anna.slash("/clone", "", lab)
        yield await window_of(anna)


@both_ways
async def test_an_experiment_is_chosen_by_a_part_of_its_name(
    window: Window, bot: FakeBot, suggestions: Suggestions, anna: Person
) -> None:
    bot.replies["/clone '81c0aa12' name='mine'"] = Reply.of("Cloned.")
    options = await window.search("experiment", "long")
    assert [option["text"]["text"] for option in options] == ["long baseline"]
    assert [option["description"]["text"] for option in options] == ["81c0aa12"]
    assert (suggestions.asked[0].sender.user_id, suggestions.asked[0].text) == (anna.id, "long")
    window.choose("experiment", options[0])
    window.type("name", "mine")
    await window.submit()
    await until(lambda: window.shown == "Cloned.")


async def test_the_choice_stays_when_the_form_is_refused(window: Window) -> None:
    options = await window.search("experiment", "")
    window.choose("experiment", options[2])
    await window.submit()
    await until(lambda: "No such command." in window.shown)
    assert window.values["experiment"] == "99aa0012"
    assert [block["element"]["initial_option"]["text"] for block in window.inputs[:1]] == [options[2]["text"]]


async def test_names_are_escaped_and_cut_and_there_are_at_most_a_hundred(
    window: Window, suggestions: Suggestions
) -> None:
    suggestions.experiments = [("e" * 32, NASTY), ("f" * 32, " "), *((f"{n:032}", "x") for n in range(200))]
    options = await window.search("experiment", "")
    assert len(options) == 100
    assert options[0]["text"]["text"].startswith("&lt;!channel&gt; *x* &amp; \N{REPLACEMENT CHARACTER}nn")
    assert options[1]["text"]["text"] == "f" * 32
    assert options[0]["text"]["emoji"] is False


async def test_what_takes_too_long_is_answered_in_time_with_what_was_seen_before(
    slack: SlackServer, window: Window, suggestions: Suggestions
) -> None:
    await window.search("experiment", "")
    suggestions.may_answer.clear()
    assert [option["value"] for option in await window.search("experiment", "LONG")] == ["81c0aa12"]
    assert [option["value"] for option in await window.search("experiment", "3f2a")] == ["3f2a9c1e"]
    assert slack.timed_out == []


async def test_what_came_too_late_helps_the_next_time(window: Window, suggestions: Suggestions) -> None:
    suggestions.may_answer.clear()
    assert await window.search("experiment", "base") == []
    suggestions.may_answer.set()
    suggestions.may_answer.clear()
    assert [option["value"] for option in await window.search("experiment", "base")] == ["3f2a9c1e", "81c0aa12"]


async def test_a_failure_gives_what_was_seen_before(window: Window, suggestions: Suggestions) -> None:
    await window.search("experiment", "")
    suggestions.fails = True
    assert len(await window.search("experiment", "base")) == 2


async def test_a_stranger_gets_nothing_also_when_he_has_just_become_one(
    window: Window, suggestions: Suggestions
) -> None:
    assert len(await window.search("experiment", "")) == 3
    suggestions.known_people = set()
    assert await window.search("experiment", "base") == []
    assert await window.search("experiment", "") == []
    suggestions.may_answer.clear()
    assert await window.search("experiment", "") == []


async def test_a_slow_search_holds_nothing_else_up(
    slack: SlackServer, window: Window, suggestions: Suggestions, bot: FakeBot, anna: Person, lab: str
) -> None:
    suggestions.may_answer.clear()
    search = await window.start_search("experiment", "x")
    await (await anna.slash("/find", "", lab)).acknowledged.wait()
    await until(lambda: bot.lines[-1] == "/find")
    await search.acknowledged.wait()
    assert search.ack_payload == {"options": []}
