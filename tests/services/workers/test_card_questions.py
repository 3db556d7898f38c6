"""Asking for the cards that another person's worker has: what he is told, and what his answer leads to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.people import QueueBinding, Role
from clearml_chatops.models.replies import Button, Outcome, Reply
from clearml_chatops.models.workers import WantedWorker, WorkerPlan
from clearml_chatops.services.command_services import card_handovers
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.services.workers.card_handovers import CardHandovers
from tests.support.agents import agents_of, begun, quick_agents
from tests.support.nvml import FakeCard, put_in
from tests.support.program import RunningProgram, buttons, plain_text
from tests.support.waiting import until

ALICES, BOBS = "lab:alice_queue:gpu1", "lab:bob_queue:gpu1"


async def _people(program: RunningProgram) -> tuple[RunningProgram, RunningProgram]:
    """Alice and Bob, members both, each with a queue, and two cards. Alice speaks from a chat too."""
    put_in(program, FakeCard("GPU-0"), FakeCard("GPU-1"))
    alice = await program.introduce(program.sandbox.alice, Role.MEMBER)
    bob = await program.introduce(program.sandbox.bob, Role.MEMBER)
    await alice.ask("/queue create")
    await bob.ask("/queue create")
    return alice, bob


async def _has(owner: RunningProgram, card: str) -> str:
    """Has a worker of this person be wanted for a card, without an agent; gives its id."""
    person = await owner.person()
    assert person is not None
    queue = owner.sandbox.state.queue_named(f"{owner.name.split()[0].lower()}_queue")
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], queue["name"]),), card)
    process = owner.program.process
    worker_id = f"lab:{queue['name']}:gpu{card}"
    worker = WantedWorker(worker_id, "lab", plan, person.id, owner.conversation, process.clock())
    await process.host_workers.put(worker)
    return worker_id


async def _asked(asker: RunningProgram, line: str = "/worker start gpus=1") -> Reply:
    """Has somebody order what others have, and press "Ask …"."""
    question = await asker.say(line)
    assert question.outcome is Outcome.ASKED
    (ask,) = [command for label, command in buttons(question).items() if label.startswith("Ask ")]
    reply = await asker.say(ask)
    assert reply.outcome is Outcome.DONE, plain_text(reply)
    return reply


async def _question(asked: RunningProgram) -> dict[str, str]:
    """The buttons of the question that a person gets."""
    return _buttons_in((await asked.listen())[-1])


def _buttons_in(text: str) -> dict[str, str]:
    parts = (line[1:].partition("] ") for line in text.splitlines() if line.startswith("["))
    return {label: command for label, _, command in parts}


async def _workers(program: RunningProgram) -> list[str]:
    return [worker.id for worker in await program.program.process.host_workers.wanted()]


@pytest.mark.usefixtures(quick_agents.__name__)
async def test_who_is_asked_sees_who_asks_and_for_what_and_shares(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await bob.ask("/worker start gpus=1")
    await begun(bob, "run")

    asked = await _asked(alice)

    assert "Bob Brown is asked for card 1" in plain_text(asked)
    (told,) = [text for text in await bob.listen() if "asks you" in text]
    assert "Alice Adams asks you for card 1." in told
    assert f"Card 1: the worker {BOBS} of Bob Brown runs “run” of Alice Adams (" in told
    assert list(_buttons_in(told)) == ["Let Alice Adams share it", "Hand it over when my run has ended", "Not now"]
    assert list(await agents_of(program)) == [BOBS]

    share = _buttons_in(told)["Let Alice Adams share it"]
    assert "Alice Adams is told, and has card 1 beside you." in await bob.ask(share)
    await card_handovers(program.program.process).look()

    assert sorted(await agents_of(program)) == [ALICES, BOBS]
    (worker,) = [item for item in await program.program.process.host_workers.wanted() if item.id == ALICES]
    assert worker.person_name == "Alice Adams"
    assert worker.conversation == alice.conversation
    heard = "\n".join(await alice.listen())
    assert "Bob Brown lets you share card 1." in heard
    assert "Bob Brown agreed. Your worker lab:alice_queue:gpu1 listens on alice_queue." in heard
    assert await bob.error_code(share) == "card_question_over"


@pytest.mark.usefixtures(quick_agents.__name__)
async def test_a_card_is_handed_over_when_the_run_has_ended(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await bob.ask("/worker start gpus=1")
    task = await begun(bob, "run")
    await _asked(alice)

    hand_over = (await _question(bob))["Hand it over when my run has ended"]
    assert f"{BOBS} takes nothing more" in await bob.ask(hand_over)
    await card_handovers(program.program.process).look()
    assert list(await agents_of(program)) == [BOBS], "his run goes on"
    assert program.sandbox.state.tasks[task]["status"] == "in_progress"
    assert "gives you card 1: your order is carried out when what runs there has ended" in "\n".join(
        await alice.listen()
    )

    await bob.ask(f"/abort {task} --yes")

    async def handed_over() -> bool:
        await program.program.process.reconciler.reconcile()
        await card_handovers(program.program.process).look()
        return list(await agents_of(program)) == [ALICES]

    await until(handed_over)
    assert "Your worker lab:alice_queue:gpu1 listens on alice_queue." in "\n".join(await alice.listen())


async def test_not_now_changes_nothing_and_says_how_to_wait(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)

    assert "Alice Adams is told: not now." in await bob.ask((await _question(bob))["Not now"])

    (told,) = await alice.listen()
    assert "Bob Brown says not now to your question for card 1. Nothing was started." in told
    assert "[Tell me when it is free] /gpus watch 1" in told
    await card_handovers(program.program.process).look()
    assert await _workers(program) == [BOBS]


async def test_only_the_asked_person_or_an_admin_answers(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)
    share = (await _question(bob))["Let Alice Adams share it"]
    carol = await program.introduce(program.sandbox.carol, Role.MEMBER)
    assert await alice.error_code(share) == "card_question_not_yours"
    assert await carol.error_code(share) == "card_question_not_yours"
    assert await bob.error_code("/worker consent 4f2ab3 share") == "card_question_over"
    assert await bob.error_code(f"{share.removesuffix('share')}maybe") == "invalid_value"
    assert "Alice Adams is told" in await program.ask(share)  # the terminal's is an admin


async def test_open_questions_are_shown_with_their_buttons_and_can_be_taken_back(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    assert "No question about cards is open" in await bob.ask("/worker consent")
    back = buttons(await _asked(alice))["Take the question back"]
    assert await alice.error_code("/worker start gpus=1 --ask") == "already_asked"

    his, hers = await bob.say("/worker consent"), await alice.say("/worker consent")
    assert "card 1 for Alice Adams: you were asked" in plain_text(his)
    assert "card 1 of Bob Brown: you asked" in plain_text(hers)
    assert buttons(hers) == {"Take the question back": back}

    assert "You ask for card 1 no more." in await alice.ask(back)
    assert await bob.error_code(buttons(his)["Let Alice Adams share it"]) == "card_question_over"
    assert await alice.listen() == [], "she knows what she did herself"


async def test_without_an_answer_the_question_ends_after_a_day(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)
    share = (await _question(bob))["Let Alice Adams share it"]

    await _handovers(program, timedelta(hours=25)).look()

    (told,) = await _heard(alice, later=timedelta(hours=25))
    assert told.text == "Bob Brown did not answer whether you may have card 1."
    assert told.offers == (Button("Ask again", "/worker start gpus=1 --ask"),)
    assert await bob.error_code(share) == "card_question_over"


async def test_who_else_came_meanwhile_is_not_overrun(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)
    share = (await _question(bob))["Let Alice Adams share it"]
    carol = await program.introduce(program.sandbox.carol, Role.MEMBER)
    await carol.ask("/queue create")
    carols = await _has(carol, "1")

    await bob.ask(share)
    await card_handovers(program.program.process).look()

    told = (await alice.listen())[-1]
    assert "Bob Brown agreed. But meanwhile others are on card 1, so nothing was started." in told
    assert sorted(await _workers(program)) == [BOBS, carols]
    again = await alice.say(_buttons_in(told)["Show who"])
    assert "Ask Bob Brown and Carol Chen" in buttons(again)


async def test_of_several_all_have_to_agree(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    carol = await program.introduce(program.sandbox.carol, Role.MEMBER)
    await carol.ask("/queue create")
    await _has(bob, "0")
    await _has(carol, "1")
    await _asked(alice, "/worker start gpus=0,1")
    bobs, carols = await _question(bob), await _question(carol)
    before = await _workers(program)

    await bob.ask(bobs["Let Alice Adams share it"])
    await card_handovers(program.program.process).look()
    assert await _workers(program) == before, "Carol has not answered yet"
    await carol.ask(carols["Not now"])
    await card_handovers(program.program.process).look()

    assert await _workers(program) == before
    heard = "\n".join(await alice.listen())
    assert "Bob Brown lets you share" in heard
    assert "says not now to your question for cards 0,1" in heard


async def test_who_goes_on_after_all_keeps_his_card(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)
    hand_over = (await _question(bob))["Hand it over now"]
    await bob.ask(hand_over)
    assert await _workers(program) == [], "it had nothing to do"
    await _has(bob, "1")

    await card_handovers(program.program.process).look()

    assert "Bob Brown goes on with the worker on card 1 after all." in (await alice.listen())[-1]
    assert await _workers(program) == [BOBS]


async def test_what_cannot_be_started_is_told_with_its_reason(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)
    await bob.ask((await _question(bob))["Let Alice Adams share it"])
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    await card_handovers(program.program.process).look()

    told = (await alice.listen())[-1]
    assert "Bob Brown agreed. But: clearml-agent is not installed on lab" in told
    assert _buttons_in(told) == {"Try again": "/worker start gpus=1 --share"}


async def test_while_clearml_is_down_what_was_agreed_waits(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _asked(alice)
    await bob.ask((await _question(bob))["Let Alice Adams share it"])
    program.sandbox.faults.refuse("*")
    for _ in range(2):
        with pytest.raises(Exception, match="ClearML"):
            await card_handovers(program.program.process).look()
    assert [notice.text for notice in await _heard(alice)] == ["Bob Brown lets you share card 1."]


async def test_one_s_own_worker_asks_nobody_and_a_stranger_s_cannot_be_asked(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(alice, "1")
    own = await alice.say("/worker start gpus=0,1")
    assert not [label for label in buttons(own) if label.startswith("Ask")]
    assert await alice.error_code("/worker start gpus=0,1 --ask") == "nobody_to_ask"
    assert await bob.listen() == []


async def test_a_restart_can_be_asked_for_too(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    await _has(alice, "0")
    reply = await _asked(alice, "/worker restart gpus=1")
    assert "Bob Brown is asked for card 1" in plain_text(reply)
    # Meanwhile she has started another one, so that it is no longer clear which one is meant.
    await _has(alice, "5")
    await bob.ask((await _question(bob))["Let Alice Adams share it"])
    await card_handovers(program.program.process).look()
    told = (await alice.listen())[-1]
    assert _buttons_in(told) == {"Restart it": "/worker restart gpus=1 --share"}
    assert sorted(await _workers(program)) == ["lab:alice_queue:gpu0", "lab:alice_queue:gpu5", BOBS]


async def test_a_person_is_asked_in_private_where_he_ordered_his_worker(program: RunningProgram) -> None:
    alice, bob = await _people(program)
    await _has(bob, "1")
    wanted = (await program.program.process.host_workers.wanted())[0]
    group = Conversation("chat", "a group", "a topic")
    moved = WantedWorker(
        wanted.id, wanted.host, wanted.plan, wanted.person_id, group, wanted.since, wanted.person_name
    )
    await program.program.process.host_workers.put(moved)
    await _asked(alice)
    assert "Let Alice Adams share it" in await _question(bob), "in private, not in the group"


async def _heard(program: RunningProgram, *, later: timedelta = timedelta(0)) -> list[Notice]:
    """What is to be told to a person at a later moment, without asking ClearML."""
    service = _later(program, later).notifications
    due = await service.due(program.conversation.platform, program.conversation.id)
    return [notice for message in due for notice in message.notices]


def _handovers(program: RunningProgram, later: timedelta) -> CardHandovers:
    """The handovers as they look at a later moment."""
    return card_handovers(_later(program, later))


def _later(program: RunningProgram, later: timedelta) -> ProcessContext:
    process = program.program.process
    return replace(process, clock=lambda: process.clock() + later)
