"""GPU requests: what the owner of a GPU is asked, and what each answer leads to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.people import QueueBinding, Role
from clearml_chatops.models.replies import Button, Outcome, Reply
from clearml_chatops.models.workers import DesiredWorker, WorkerPlan
from clearml_chatops.services.command_services import create_gpu_handovers
from clearml_chatops.services.process import ProcessContext
from clearml_chatops.services.workers.gpu_handovers import GpuHandovers
from tests.support.agents import list_agents, quick_agents, start_run
from tests.support.nvml import FakeGpu, install_gpus
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons, to_plain_text

ALICE_WORKER, BOB_WORKER = "lab:alice_queue:gpu1", "lab:bob_queue:gpu1"


async def _introduce_people(program: RunningProgram) -> tuple[RunningProgram, RunningProgram]:
    """Return Alice and Bob, two members with a queue each, on a machine with two GPUs."""
    install_gpus(program, FakeGpu("GPU-0"), FakeGpu("GPU-1"))
    alice = await program.add_person(program.sandbox.alice, Role.MEMBER)
    bob = await program.add_person(program.sandbox.bob, Role.MEMBER)
    await alice.ask("/queue create")
    await bob.ask("/queue create")
    return alice, bob


async def _add_worker(owner: RunningProgram, gpu: str) -> str:
    """Store a desired worker of this person for a GPU, without an agent; return its id."""
    person = await owner.find_person()
    assert person is not None
    queue = owner.sandbox.state.find_queue(f"{owner.name.split()[0].lower()}_queue")
    assert queue is not None
    plan = WorkerPlan((QueueBinding(queue["id"], queue["name"]),), gpu)
    process = owner.program.process
    worker_id = f"lab:{queue['name']}:gpu{gpu}"
    worker = DesiredWorker(worker_id, "lab", plan, person.id, owner.conversation, process.clock())
    await process.host_workers.put(worker)
    return worker_id


async def _request_gpus(requester: RunningProgram, line: str = "/worker start gpus=1") -> Reply:
    """Send a command that conflicts with others, and press "Ask …"."""
    question = await requester.send(line)
    assert question.outcome is Outcome.ASKED
    (ask,) = [command for label, command in get_buttons(question).items() if label.startswith("Ask ")]
    reply = await requester.send(ask)
    assert reply.outcome is Outcome.DONE, to_plain_text(reply)
    return reply


async def _get_request_buttons(owner: RunningProgram) -> dict[str, str]:
    """Return the buttons of the request that an owner gets."""
    return _parse_buttons((await owner.poll_and_deliver())[-1])


def _parse_buttons(text: str) -> dict[str, str]:
    parts = (line[1:].partition("] ") for line in text.splitlines() if line.startswith("["))
    return {label: command for label, _, command in parts}


async def _list_worker_ids(program: RunningProgram) -> list[str]:
    return [worker.id for worker in await program.program.process.host_workers.list_desired()]


@pytest.mark.usefixtures(quick_agents.__name__)
async def test_owner_sees_the_request_and_shares_the_gpu(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await bob.ask("/worker start gpus=1")
    await start_run(bob, "run")

    reply = await _request_gpus(alice)

    assert "Asked Bob Brown for GPU 1." in to_plain_text(reply)
    (notification,) = [text for text in await bob.poll_and_deliver() if "would like to use" in text]
    assert "Alice Adams would like to use GPU 1." in notification
    assert f"GPU 1. Worker {BOB_WORKER} (Bob Brown) is running “run” (Alice Adams, " in notification
    assert list(_parse_buttons(notification)) == [
        "Share with Alice Adams",
        "Hand over after run",
        "Decline",
    ]
    assert list(await list_agents(program)) == [BOB_WORKER]

    share = _parse_buttons(notification)["Share with Alice Adams"]
    assert "Accepted. Alice Adams shares GPU 1 with you." in await bob.ask(share)
    await create_gpu_handovers(program.program.process).poll()

    assert sorted(await list_agents(program)) == [ALICE_WORKER, BOB_WORKER]
    (worker,) = [
        item for item in await program.program.process.host_workers.list_desired() if item.id == ALICE_WORKER
    ]
    assert worker.person_name == "Alice Adams"
    assert worker.conversation == alice.conversation
    notifications = "\n".join(await alice.poll_and_deliver())
    assert "Bob Brown lets you share GPU 1." in notifications
    assert "Bob Brown accepted. Your worker lab:alice_queue:gpu1 listens on alice_queue." in notifications
    assert await bob.send_for_error_code(share) == "gpu_request_closed"


@pytest.mark.usefixtures(quick_agents.__name__)
async def test_gpu_is_handed_over_after_the_run(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await bob.ask("/worker start gpus=1")
    task = await start_run(bob, "run")
    await _request_gpus(alice)

    hand_over = (await _get_request_buttons(bob))["Hand over after run"]
    assert f"gets GPU 1 when what is running on {BOB_WORKER} has ended." in await bob.ask(hand_over)
    await create_gpu_handovers(program.program.process).poll()
    assert list(await list_agents(program)) == [BOB_WORKER], "Bob's run continues"
    assert program.sandbox.state.tasks[task]["status"] == "in_progress"
    assert "hands GPU 1 over to you. Your worker starts when the current run, if any, ends." in "\n".join(
        await alice.poll_and_deliver()
    )

    await bob.ask(f"/abort {task} --yes")

    async def is_handed_over() -> bool:
        await program.program.process.reconciler.reconcile()
        await create_gpu_handovers(program.program.process).poll()
        return list(await list_agents(program)) == [ALICE_WORKER]

    await wait_until(is_handed_over)
    assert "Your worker lab:alice_queue:gpu1 listens on alice_queue." in "\n".join(await alice.poll_and_deliver())


async def test_declined_request_changes_nothing_and_offers_a_watch(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)

    assert "Declined. Alice Adams gets notified" in await bob.ask((await _get_request_buttons(bob))["Decline"])

    (notification,) = await alice.poll_and_deliver()
    assert "Bob Brown declined your request for GPU 1. Nothing was started." in notification
    assert "[Watch GPU 1] /gpus watch 1" in notification
    await create_gpu_handovers(program.program.process).poll()
    assert await _list_worker_ids(program) == [BOB_WORKER]


async def test_only_the_owner_or_an_admin_can_answer(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)
    share = (await _get_request_buttons(bob))["Share with Alice Adams"]
    carol = await program.add_person(program.sandbox.carol, Role.MEMBER)
    assert await alice.send_for_error_code(share) == "gpu_request_not_yours"
    assert await carol.send_for_error_code(share) == "gpu_request_not_yours"
    assert await bob.send_for_error_code("/worker consent 4f2ab3 share") == "gpu_request_closed"
    assert await bob.send_for_error_code(f"{share.removesuffix('share')}maybe") == "invalid_value"
    assert "Accepted. Alice Adams shares" in await program.ask(share)  # the terminal's is an admin


async def test_open_requests_are_listed_and_can_be_withdrawn(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    assert "There are no open GPU requests" in await bob.ask("/worker consent")
    withdraw_command = get_buttons(await _request_gpus(alice))["Withdraw request"]
    assert await alice.send_for_error_code("/worker start gpus=1 --ask") == "gpu_already_requested"

    bob_reply, alice_reply = await bob.send("/worker consent"), await alice.send("/worker consent")
    assert "GPU 1 for Alice Adams: Requested" in to_plain_text(bob_reply)
    assert "GPU 1 from Bob Brown: Requested" in to_plain_text(alice_reply)
    assert get_buttons(alice_reply) == {"Withdraw request": withdraw_command}

    assert "Withdrew your request for GPU 1." in await alice.ask(withdraw_command)
    assert await bob.send_for_error_code(get_buttons(bob_reply)["Share with Alice Adams"]) == "gpu_request_closed"
    assert await alice.poll_and_deliver() == [], "she knows what she did herself"


async def test_unanswered_request_expires_after_a_day(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)
    share = (await _get_request_buttons(bob))["Share with Alice Adams"]

    await _create_handovers(program, timedelta(hours=25)).poll()

    (notice,) = await _list_due_notices(alice, later=timedelta(hours=25))
    assert notice.text == "Bob Brown didn't answer, so your request for GPU 1 expired."
    assert notice.buttons == (Button("Ask again", "/worker start gpus=1 --ask"),)
    assert await bob.send_for_error_code(share) == "gpu_request_closed"


async def test_handover_stops_when_another_worker_took_the_gpu(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)
    share = (await _get_request_buttons(bob))["Share with Alice Adams"]
    carol = await program.add_person(program.sandbox.carol, Role.MEMBER)
    await carol.ask("/queue create")
    carol_worker = await _add_worker(carol, "1")

    await bob.ask(share)
    await create_gpu_handovers(program.program.process).poll()

    notification = (await alice.poll_and_deliver())[-1]
    assert "Bob Brown accepted. But someone else uses GPU 1 now. Nothing was started." in notification
    assert sorted(await _list_worker_ids(program)) == [BOB_WORKER, carol_worker]
    again = await alice.send(_parse_buttons(notification)["Show conflict"])
    assert "Ask Bob Brown and Carol Chen" in get_buttons(again)


async def test_all_owners_must_agree(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    carol = await program.add_person(program.sandbox.carol, Role.MEMBER)
    await carol.ask("/queue create")
    await _add_worker(bob, "0")
    await _add_worker(carol, "1")
    await _request_gpus(alice, "/worker start gpus=0,1")
    bob_buttons, carol_buttons = await _get_request_buttons(bob), await _get_request_buttons(carol)
    before = await _list_worker_ids(program)

    await bob.ask(bob_buttons["Share with Alice Adams"])
    await create_gpu_handovers(program.program.process).poll()
    assert await _list_worker_ids(program) == before, "Carol has not answered yet"
    await carol.ask(carol_buttons["Decline"])
    await create_gpu_handovers(program.program.process).poll()

    assert await _list_worker_ids(program) == before
    notifications = "\n".join(await alice.poll_and_deliver())
    assert "Bob Brown lets you share" in notifications
    assert "declined your request for GPUs 0 and 1" in notifications


async def test_owner_who_restarts_keeps_the_gpu(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)
    hand_over = (await _get_request_buttons(bob))["Hand over now"]
    await bob.ask(hand_over)
    assert await _list_worker_ids(program) == [], "the idle worker stopped immediately"
    await _add_worker(bob, "1")

    await create_gpu_handovers(program.program.process).poll()

    assert "Bob Brown kept the worker on GPU 1. Nothing was started." in (await alice.poll_and_deliver())[-1]
    assert await _list_worker_ids(program) == [BOB_WORKER]


async def test_failed_start_after_agreement_gives_the_reason(
    program: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)
    await bob.ask((await _get_request_buttons(bob))["Share with Alice Adams"])
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.executable", "/nowhere/python")

    await create_gpu_handovers(program.program.process).poll()

    notification = (await alice.poll_and_deliver())[-1]
    assert "Bob Brown accepted. But your worker didn't start: clearml-agent isn't installed on lab" in notification
    assert _parse_buttons(notification) == {"Try again": "/worker start gpus=1 --share"}


async def test_handover_waits_while_clearml_is_down(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _request_gpus(alice)
    await bob.ask((await _get_request_buttons(bob))["Share with Alice Adams"])
    program.sandbox.faults.reject_credentials("*")
    for _ in range(2):
        with pytest.raises(Exception, match="ClearML"):
            await create_gpu_handovers(program.program.process).poll()
    assert [notice.text for notice in await _list_due_notices(alice)] == ["Bob Brown lets you share GPU 1."]


async def test_own_worker_needs_no_request(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(alice, "1")
    own = await alice.send("/worker start gpus=0,1")
    assert not [label for label in get_buttons(own) if label.startswith("Ask")]
    assert await alice.send_for_error_code("/worker start gpus=0,1 --ask") == "gpu_owner_unreachable"
    assert await bob.poll_and_deliver() == []


async def test_restart_can_be_requested(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    await _add_worker(alice, "0")
    reply = await _request_gpus(alice, "/worker restart gpus=1")
    assert "Asked Bob Brown for GPU 1." in to_plain_text(reply)
    # Meanwhile she has started another one, so that it is no longer clear which one is meant.
    await _add_worker(alice, "5")
    await bob.ask((await _get_request_buttons(bob))["Share with Alice Adams"])
    await create_gpu_handovers(program.program.process).poll()
    notification = (await alice.poll_and_deliver())[-1]
    assert "You have several workers now. To restart one, choose it." in notification
    assert _parse_buttons(notification) == {"Choose worker": "/worker restart gpus=1 --share"}
    assert sorted(await _list_worker_ids(program)) == ["lab:alice_queue:gpu0", "lab:alice_queue:gpu5", BOB_WORKER]


async def test_request_is_sent_as_a_direct_message(program: RunningProgram) -> None:
    alice, bob = await _introduce_people(program)
    await _add_worker(bob, "1")
    worker = (await program.program.process.host_workers.list_desired())[0]
    group = Conversation("chat", "a group", "a topic")
    moved = DesiredWorker(
        worker.id, worker.host, worker.plan, worker.person_id, group, worker.created, worker.person_name
    )
    await program.program.process.host_workers.put(moved)
    await _request_gpus(alice)
    assert "Share with Alice Adams" in await _get_request_buttons(bob), "a direct message, not in the group"


async def _list_due_notices(program: RunningProgram, *, later: timedelta = timedelta(0)) -> list[Notice]:
    """Return the notices that are due for a person at a later time, without a request to ClearML."""
    service = _shift_clock(program, later).notifications
    due = await service.list_due(program.conversation.platform, program.conversation.id)
    return [notice for message in due for notice in message.notices]


def _create_handovers(program: RunningProgram, later: timedelta) -> GpuHandovers:
    """Return the handovers with a later clock."""
    return create_gpu_handovers(_shift_clock(program, later))


def _shift_clock(program: RunningProgram, later: timedelta) -> ProcessContext:
    process = program.program.process
    return replace(process, clock=lambda: process.clock() + later)
