"""Told once a day: how the experiments of a conversation are."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.daily_digests import tell_due_digests
from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import stored
from tests.support.evenings import EVENING, Evening
from tests.support.program import RunningProgram, buttons

LAB = Conversation("chat", "C1")
NINE = "/digest 09:00 tz=Europe/Berlin"
UNTIL_NINE = {"hours": 11}
"""From the evening on."""


@pytest.fixture
async def evening(program: RunningProgram) -> Evening:
    evening = Evening(program)
    await evening.ask("/whoami")
    return evening


async def _watched(
    evening: Evening, name: str, status: str, *, began: float = 0, lasted: float = 0, place: Conversation = LAB
) -> str:
    """An experiment that began and ended so many hours after nightfall, and is watched in the lab's channel."""
    started = EVENING + timedelta(hours=began)
    ended = started + timedelta(hours=lasted) if lasted else None
    task = evening.program.sandbox.state.add_task(
        name,
        user=evening.program.sandbox.alice.id,
        status=status,
        status_reason="worker execution exit code 1" if status == "failed" else "",
        status_changed=stored(ended or started),
        started=stored(started) if status != "queued" else None,
        completed=stored(ended) if ended else None,
        last_worker="lab:alice_queue:gpu0,1",
        last_worker_report=stored(ended or started),
        last_iteration=30,
    )
    await evening.ask(f"/watch {task['id']}", place)
    return str(task["id"])


async def _told(evening: Evening, place: Conversation = LAB) -> list[str]:
    await tell_due_digests(evening.process.daily_digests)
    return await evening.told(place)


async def test_at_its_time_all_is_told_once(evening: Evening) -> None:
    assert "each day at 09:00 (Europe/Berlin)" in await evening.ask(NINE, LAB)
    await _watched(evening, "good", "completed", began=1, lasted=2)
    bad = await _watched(evening, "bad", "failed", began=1, lasted=0.5)
    await _watched(evening, "old", "completed", began=-40, lasted=1)
    await _watched(evening, "running", "in_progress", began=9)
    await _watched(evening, "waiting", "queued", began=10, place=Conversation("chat", "C1", "7"))
    await _watched(evening, "elsewhere", "failed", began=1, lasted=1, place=Conversation("chat", "C2"))
    evening.passes(hours=10, minutes=59)
    assert await _told(evening) == []
    evening.passes(minutes=1)
    evening.program.sandbox.requests.clear()
    (digest,) = await _told(evening)
    assert evening.program.sandbox.requests.names() == ["tasks.get_all_ex"]
    assert digest.splitlines()[:9] == [
        "Since Sun 09:00: 1 Failed, 1 Completed; now 1 Running, 1 Pending.",
        "Failed",
        "“bad” after 30 min: worker execution exit code 1",
        "Completed",
        "“good” after 2 h",
        "Running",
        "“running” for 2 h, iteration 30, on lab:alice_queue:gpu0,1",
        "Pending",
        "“waiting” for 1 h",
    ]
    assert "Time run\nAlice Adams: 4 h 30 min, 9.0 GPU-hours" in digest
    assert f"[Show log of bad] /log {bad}" in digest
    assert await _told(evening) == []
    evening.passes(hours=24)
    assert ["now 1 Running, 1 Pending" in text for text in await _told(evening)] == [True]


async def test_what_the_channel_has_subscribed_to_is_in_it(evening: Evening) -> None:
    """Also what nobody has watched, whoever's it is; what runs for days is found among what runs now."""
    state, bob = evening.program.sandbox.state, evening.program.sandbox.bob.id
    projects = {name: state.add_project(name, user=bob)["id"] for name in ("speech", "speech/asr", "speeches")}
    queue = state.add_queue("fast")["id"]
    await evening.ask("/watch project=speech", Conversation("chat", "C1", "7"))
    await evening.ask("/watch queue=fast", LAB)

    def add(name: str, project: str, status: str, began: float, **fields: object) -> None:
        state.add_task(
            name,
            user=bob,
            project=projects[project],
            status=status,
            status_changed=stored(EVENING + timedelta(hours=began)),
            started=stored(EVENING + timedelta(hours=began)),
            **fields,
        )

    add("below", "speech/asr", "failed", 1)
    add("beside", "speeches", "failed", 1)
    add("for days", "speech", "in_progress", -90, last_iteration=7)
    add("in the queue", "speeches", "queued", 2, execution={"queue": queue})
    add("over long ago", "speech", "completed", -90)
    await evening.ask(NINE, LAB)
    evening.passes(**UNTIL_NINE)
    evening.program.sandbox.requests.clear()
    (digest,) = await _told(evening)
    assert digest.startswith("Since Sun 09:00: 1 Failed; now 1 Running, 1 Pending.")
    assert "Failed\n“below”" in digest
    assert "“for days” for 4 d 5 h, iteration 7" in digest
    assert "Pending\n“in the queue” for 9 h" in digest
    assert evening.program.sandbox.requests.names() == ["tasks.get_all_ex"] * 2


async def test_a_day_with_more_changes_than_a_page_is_told_whole(evening: Evening) -> None:
    state, bob = evening.program.sandbox.state, evening.program.sandbox.bob.id
    project = state.add_project("speech", user=bob)["id"]
    for number in range(1100):
        moment = stored(EVENING + timedelta(seconds=number // 600))
        state.add_task(f"run {number}", user=bob, project=project, status="completed", status_changed=moment)
    await evening.ask("/watch project=speech", LAB)
    await evening.ask(NINE, LAB)
    evening.passes(**UNTIL_NINE)
    (digest,) = await _told(evening)
    assert digest.startswith("Since Sun 09:00: 1100 Completed.")


async def test_a_crash_before_it_is_sent_loses_and_doubles_nothing(evening: Evening) -> None:
    await evening.ask(NINE, LAB)
    await _watched(evening, "good", "completed", began=1, lasted=2)
    evening.passes(**UNTIL_NINE)
    due = await evening.process.daily_digests.due()
    await tell_due_digests(evening.process.daily_digests)
    assert len(due) == 1
    await evening.process.daily_digests.tell(due[0], None)
    assert await evening.process.daily_digests.due() == []
    assert len(await _told(evening)) == 1
    assert await _told(evening) == []


@pytest.mark.parametrize(("late", "count"), [(5.9, 1), (6.1, 0)])
async def test_one_missed_while_the_bot_was_down_is_told_if_that_was_not_long(
    evening: Evening, late: float, count: int
) -> None:
    await evening.ask(NINE, LAB)
    await _watched(evening, "good", "completed", began=1, lasted=2)
    evening.passes(hours=11 + late)
    assert len(await _told(evening)) == count
    assert await _told(evening) == []
    await _watched(evening, "another", "completed", began=30, lasted=1)
    evening.passes(hours=24 - late)
    assert len(await _told(evening)) == 1


async def test_while_clearml_does_not_answer_it_stays_due(evening: Evening, sandbox: Sandbox) -> None:
    await evening.ask(NINE, LAB)
    await _watched(evening, "good", "completed", began=1, lasted=2)
    evening.passes(**UNTIL_NINE)
    sandbox.faults.refuse("tasks.get_all_ex")
    with pytest.raises(ClearMLError):
        await tell_due_digests(evening.process.daily_digests)
    assert await evening.told(LAB) == []
    sandbox.faults.clear()
    evening.passes(minutes=10)
    assert len(await _told(evening)) == 1


async def test_on_a_day_with_nothing_to_tell_nothing_is_told(evening: Evening) -> None:
    await evening.ask(NINE, LAB)
    evening.passes(**UNTIL_NINE)
    assert await _told(evening) == []
    assert await evening.process.daily_digests.due() == []


async def test_on_weekdays_monday_tells_of_the_weekend(evening: Evening) -> None:
    """The evening is a Sunday's."""
    await evening.ask(f"{NINE} weekdays", LAB)
    await _watched(evening, "on saturday", "completed", began=-30, lasted=2)
    evening.passes(**UNTIL_NINE)
    (monday,) = await _told(evening)
    assert monday.startswith("Since Fri 09:00: 1 Completed.")
    await _watched(evening, "on friday", "completed", began=24 * 5, lasted=1)
    evening.passes(days=5)
    await _told(evening)
    assert await evening.process.daily_digests.due() == [], "Saturday"


async def test_in_a_muted_channel_it_waits_with_all_else(evening: Evening) -> None:
    await evening.ask(NINE, LAB)
    await _watched(evening, "good", "completed", began=1, lasted=2)
    await evening.ask("/mute 12h", LAB)
    evening.passes(**UNTIL_NINE)
    await evening.happens("another", place=LAB)
    assert await _told(evening) == []
    evening.passes(hours=1)
    (digest,) = await _told(evening)
    assert "“another”: Completed" in digest
    assert "Since Sun 09:00: 1 Completed." in digest


async def test_a_conversation_says_when_and_sees_it_now(evening: Evening) -> None:
    asked = await evening.say("/digest 09:00 weekdays", LAB)
    assert asked.outcome is Outcome.ASKED
    assert "Monday to Friday at 09:00 (Europe/Berlin)" in await evening.ask(buttons(asked)["Europe/Berlin"], LAB)
    await _watched(evening, "good", "completed", began=-3, lasted=2)
    now = await evening.ask("/digest", LAB)
    assert "1 Completed" in now
    assert "Monday to Friday" in now
    assert "each day at 10:30 (Asia/Tokyo)" in await evening.ask("/digest 10:30 tz=tokyo", LAB)
    assert "each day at 10:30 (Europe/Berlin)" in await evening.ask("/digest 10:30", LAB), "his own stays"
    assert "no daily digest here any more" in await evening.ask("/digest off", LAB)
    assert "was no daily digest here" in await evening.ask("/digest off", LAB)
    evening.passes(hours=24)
    assert await _told(evening) == []
    assert "nothing has run here" in await evening.ask("/digest")
