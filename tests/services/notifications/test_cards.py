"""Cards that are due, with what they show."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.cards import experiment_card
from clearml_chatops.models.cards import EditPace
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.program import RunningProgram, plain_text


@pytest.fixture(autouse=True)
def _experiments(sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)


async def shown(program: RunningProgram) -> list[str]:
    """The cards of the terminal that are to be edited, as texts, in the order of their names."""
    process = program.program.process
    items = await process.cards.to_edit("terminal", lambda _conversation: EditPace(timedelta(0)))
    cards = [
        experiment_card(item.experiment, now=process.clock(), web_link=item.web_link, place=item.place)
        for item in items
        if item.experiment
    ]
    return sorted(plain_text(card) for card in cards)


async def test_what_waits_shows_its_place_for_one_more_request_in_all(program: RunningProgram) -> None:
    await program.ask("/queue create")
    cards = program.program.process.cards
    for name in ("first", "second", "third"):
        reply = await program.say(f"/rerun baseline {name}")
        assert reply.is_card
        await cards.remember(program.conversation, name, reply.experiment_id, is_card=True)
        await cards.mark_due([reply.experiment_id])
    await program.ask("/queue move third front")
    program.sandbox.requests.clear()
    texts = await shown(program)
    for place, text in zip((2, 3, 1), texts, strict=True):
        assert f"waits: {place} of 3 in alice_queue" in text
        assert "no worker listens" in text
    assert program.sandbox.requests.names() == ["tasks.get_all_ex", "queues.get_all_ex"]
    assert "waits: 2 of 3 in alice_queue, no worker listens" in await program.ask("/show first")


async def test_where_nothing_waits_no_queue_is_asked_for(program: RunningProgram) -> None:
    reply = await program.say("/clone baseline two cards")
    assert reply.is_card
    cards = program.program.process.cards
    await cards.remember(program.conversation, "m1", reply.experiment_id, is_card=True)
    await cards.mark_due([reply.experiment_id])
    program.sandbox.requests.clear()
    (text,) = await shown(program)
    assert "waits" not in text
    assert program.sandbox.requests.names() == ["tasks.get_all_ex"]


async def test_an_enqueued_experiment_s_card_says_in_which_queue_it_waits(program: RunningProgram) -> None:
    await program.ask("/clone baseline two cards")
    reply = await program.say("/enqueue queue=default")
    assert (reply.is_card, "waits: in default" in plain_text(reply)) == (True, True)
    await program.ask("/abort")
    retried = await program.say("/retry")
    assert (retried.is_card, "waits: in default" in plain_text(retried)) == (True, True)
