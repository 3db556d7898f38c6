"""Which cards are due, and what they show."""

from datetime import timedelta

import pytest

from clearml_chatops.handlers.cards import build_experiment_card
from clearml_chatops.models.cards import EditIntervals
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from tests.support.program import RunningProgram, to_plain_text


@pytest.fixture(autouse=True)
def _experiments(sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)


async def render_due_cards(program: RunningProgram) -> list[str]:
    """Return the due cards of the terminal as texts, in the order of their names."""
    process = program.program.process
    items = await process.cards.list_due_edits("terminal", lambda _conversation: EditIntervals(timedelta(0)))
    cards = [
        build_experiment_card(
            item.experiment, now=process.clock(), web_link=item.web_link, position=item.queue_position
        )
        for item in items
        if item.experiment
    ]
    return sorted(to_plain_text(card) for card in cards)


async def test_pending_cards_show_queue_position_with_one_extra_request(program: RunningProgram) -> None:
    await program.ask("/queue create")
    cards = program.program.process.cards
    for name in ("first", "second", "third"):
        reply = await program.send(f"/rerun baseline {name}")
        assert reply.is_card
        await cards.record_message(program.conversation, name, reply.experiment_id, is_card=True)
        await cards.mark_due([reply.experiment_id])
    await program.ask("/queue move third front")
    program.sandbox.requests.clear()
    texts = await render_due_cards(program)
    for position, text in zip((2, 3, 1), texts, strict=True):
        assert f"queue: {position} of 3 in alice_queue" in text
        assert "no worker listens" in text
    assert program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex", "queues.get_all_ex"]
    assert "queue: 2 of 3 in alice_queue, no worker listens" in await program.ask("/show first")


async def test_no_queue_request_without_pending_experiments(program: RunningProgram) -> None:
    reply = await program.send("/clone baseline two GPUs")
    assert reply.is_card
    cards = program.program.process.cards
    await cards.record_message(program.conversation, "m1", reply.experiment_id, is_card=True)
    await cards.mark_due([reply.experiment_id])
    program.sandbox.requests.clear()
    (text,) = await render_due_cards(program)
    assert "queue: " not in text
    assert program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]


async def test_card_of_an_enqueued_experiment_names_its_queue(program: RunningProgram) -> None:
    await program.ask("/clone baseline two GPUs")
    reply = await program.send("/enqueue queue=default")
    assert (reply.is_card, "queue: default" in to_plain_text(reply)) == (True, True)
    await program.ask("/abort")
    retried = await program.send("/retry")
    assert (retried.is_card, "queue: default" in to_plain_text(retried)) == (True, True)
