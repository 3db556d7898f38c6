"""Daily digests: when they are sent, and what they report."""

from datetime import timedelta

import pytest

from clearml_chatops.bot.daily_digests import queue_due_digests
from clearml_chatops.models.errors import ClearMLError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.replies import Outcome
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.documents import truncate_to_milliseconds
from tests.support.program import RunningProgram, get_buttons
from tests.support.timed_program import SUNDAY_EVENING, TimedProgram

LAB = Conversation("chat", "C1")
DIGEST_AT_NINE = "/digest 09:00 tz=Europe/Berlin"
TIME_UNTIL_NINE = {"hours": 11}
"""From the evening until 09:00 in Berlin."""


@pytest.fixture
async def evening(program: RunningProgram) -> TimedProgram:
    evening = TimedProgram(program)
    await evening.ask("/whoami")
    return evening


async def _add_watched_experiment(
    evening: TimedProgram,
    name: str,
    status: str,
    *,
    began: float = 0,
    lasted: float = 0,
    conversation: Conversation = LAB,
) -> str:
    """Add a watched experiment; `began` is in hours after the evening, `lasted` in hours."""
    started = SUNDAY_EVENING + timedelta(hours=began)
    ended = started + timedelta(hours=lasted) if lasted else None
    task = evening.program.sandbox.state.add_task(
        name,
        user=evening.program.sandbox.alice.id,
        status=status,
        status_reason="worker execution exit code 1" if status == "failed" else "",
        status_changed=truncate_to_milliseconds(ended or started),
        started=truncate_to_milliseconds(started) if status != "queued" else None,
        completed=truncate_to_milliseconds(ended) if ended else None,
        last_worker="lab:alice_queue:gpu0,1",
        last_worker_report=truncate_to_milliseconds(ended or started),
        last_iteration=30,
    )
    await evening.ask(f"/watch {task['id']}", conversation)
    return str(task["id"])


async def _send_due_digests(evening: TimedProgram, conversation: Conversation = LAB) -> list[str]:
    await queue_due_digests(evening.process.daily_digests)
    return await evening.deliver_due(conversation)


async def test_digest_is_sent_once_at_its_time(evening: TimedProgram) -> None:
    assert "every day at 09:00 (Europe/Berlin)" in await evening.ask(DIGEST_AT_NINE, LAB)
    await _add_watched_experiment(evening, "good", "completed", began=1, lasted=2)
    bad = await _add_watched_experiment(evening, "bad", "failed", began=1, lasted=0.5)
    await _add_watched_experiment(evening, "old", "completed", began=-40, lasted=1)
    await _add_watched_experiment(evening, "running", "in_progress", began=9)
    await _add_watched_experiment(
        evening, "waiting", "queued", began=10, conversation=Conversation("chat", "C1", "7")
    )
    await _add_watched_experiment(
        evening, "elsewhere", "failed", began=1, lasted=1, conversation=Conversation("chat", "C2")
    )
    evening.advance(hours=10, minutes=59)
    assert await _send_due_digests(evening) == []
    evening.advance(minutes=1)
    evening.program.sandbox.requests.clear()
    (digest,) = await _send_due_digests(evening)
    assert evening.program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"]
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
    assert "Run time\nAlice Adams: 4 h 30 min, 9.0 GPU-hours" in digest
    assert f"[Show log of bad] /log {bad}" in digest
    assert await _send_due_digests(evening) == []
    evening.advance(hours=24)
    assert ["now 1 Running, 1 Pending" in text for text in await _send_due_digests(evening)] == [True]


async def test_digest_includes_subscriptions(evening: TimedProgram) -> None:
    """Also runs that nobody watches, and those that have been running for days."""
    state, bob = evening.program.sandbox.state, evening.program.sandbox.bob.id
    projects = {name: state.add_project(name, user=bob)["id"] for name in ("speech", "speech/asr", "speeches")}
    queue = state.add_queue("fast")["id"]
    await evening.ask("/watch project=speech", Conversation("chat", "C1", "7"))
    await evening.ask("/watch queue=fast", LAB)

    def add_experiment(name: str, project: str, status: str, began: float, **fields: object) -> None:
        state.add_task(
            name,
            user=bob,
            project=projects[project],
            status=status,
            status_changed=truncate_to_milliseconds(SUNDAY_EVENING + timedelta(hours=began)),
            started=truncate_to_milliseconds(SUNDAY_EVENING + timedelta(hours=began)),
            **fields,
        )

    add_experiment("below", "speech/asr", "failed", 1)
    add_experiment("similar", "speeches", "failed", 1)
    add_experiment("for days", "speech", "in_progress", -90, last_iteration=7)
    add_experiment("in the queue", "speeches", "queued", 2, execution={"queue": queue})
    add_experiment("over long ago", "speech", "completed", -90)
    await evening.ask(DIGEST_AT_NINE, LAB)
    evening.advance(**TIME_UNTIL_NINE)
    evening.program.sandbox.requests.clear()
    (digest,) = await _send_due_digests(evening)
    assert digest.startswith("Since Sun 09:00: 1 Failed; now 1 Running, 1 Pending.")
    assert "Failed\n“below”" in digest
    assert "“for days” for 4 d 5 h, iteration 7" in digest
    assert "Pending\n“in the queue” for 9 h" in digest
    assert evening.program.sandbox.requests.list_endpoints() == ["tasks.get_all_ex"] * 2


async def test_digest_of_a_day_with_many_pages_is_complete(evening: TimedProgram) -> None:
    state, bob = evening.program.sandbox.state, evening.program.sandbox.bob.id
    project = state.add_project("speech", user=bob)["id"]
    for number in range(1100):
        moment = truncate_to_milliseconds(SUNDAY_EVENING + timedelta(seconds=number // 600))
        state.add_task(f"run {number}", user=bob, project=project, status="completed", status_changed=moment)
    await evening.ask("/watch project=speech", LAB)
    await evening.ask(DIGEST_AT_NINE, LAB)
    evening.advance(**TIME_UNTIL_NINE)
    (digest,) = await _send_due_digests(evening)
    assert digest.startswith("Since Sun 09:00: 1100 Completed.")


async def test_crash_before_sending_neither_loses_nor_repeats_a_digest(evening: TimedProgram) -> None:
    await evening.ask(DIGEST_AT_NINE, LAB)
    await _add_watched_experiment(evening, "good", "completed", began=1, lasted=2)
    evening.advance(**TIME_UNTIL_NINE)
    due = await evening.process.daily_digests.list_due()
    await queue_due_digests(evening.process.daily_digests)
    assert len(due) == 1
    await evening.process.daily_digests.add_to_outbox(due[0], None)
    assert await evening.process.daily_digests.list_due() == []
    assert len(await _send_due_digests(evening)) == 1
    assert await _send_due_digests(evening) == []


@pytest.mark.parametrize(("late", "count"), [(5.9, 1), (6.1, 0)])
async def test_missed_digest_is_sent_after_a_short_downtime(
    evening: TimedProgram, late: float, count: int
) -> None:
    await evening.ask(DIGEST_AT_NINE, LAB)
    await _add_watched_experiment(evening, "good", "completed", began=1, lasted=2)
    evening.advance(hours=11 + late)
    assert len(await _send_due_digests(evening)) == count
    assert await _send_due_digests(evening) == []
    await _add_watched_experiment(evening, "another", "completed", began=30, lasted=1)
    evening.advance(hours=24 - late)
    assert len(await _send_due_digests(evening)) == 1


async def test_digest_stays_due_during_a_clearml_outage(evening: TimedProgram, sandbox: Sandbox) -> None:
    await evening.ask(DIGEST_AT_NINE, LAB)
    await _add_watched_experiment(evening, "good", "completed", began=1, lasted=2)
    evening.advance(**TIME_UNTIL_NINE)
    sandbox.faults.reject_credentials("tasks.get_all_ex")
    with pytest.raises(ClearMLError):
        await queue_due_digests(evening.process.daily_digests)
    assert await evening.deliver_due(LAB) == []
    sandbox.faults.clear()
    evening.advance(minutes=10)
    assert len(await _send_due_digests(evening)) == 1


async def test_empty_digest_is_not_sent(evening: TimedProgram) -> None:
    await evening.ask(DIGEST_AT_NINE, LAB)
    evening.advance(**TIME_UNTIL_NINE)
    assert await _send_due_digests(evening) == []
    assert await evening.process.daily_digests.list_due() == []


async def test_weekday_digest_on_monday_covers_the_weekend(evening: TimedProgram) -> None:
    """The evening is a Sunday evening."""
    await evening.ask(f"{DIGEST_AT_NINE} weekdays", LAB)
    await _add_watched_experiment(evening, "on saturday", "completed", began=-30, lasted=2)
    evening.advance(**TIME_UNTIL_NINE)
    (monday,) = await _send_due_digests(evening)
    assert monday.startswith("Since Fri 09:00: 1 Completed.")
    await _add_watched_experiment(evening, "on friday", "completed", began=24 * 5, lasted=1)
    evening.advance(days=5)
    await _send_due_digests(evening)
    assert await evening.process.daily_digests.list_due() == [], "Saturday"


async def test_digest_is_deferred_in_a_muted_channel(evening: TimedProgram) -> None:
    await evening.ask(DIGEST_AT_NINE, LAB)
    await _add_watched_experiment(evening, "good", "completed", began=1, lasted=2)
    await evening.ask("/mute 12h", LAB)
    evening.advance(**TIME_UNTIL_NINE)
    await evening.add_event("another", conversation=LAB)
    assert await _send_due_digests(evening) == []
    evening.advance(hours=1)
    (digest,) = await _send_due_digests(evening)
    assert "“another”: completed" in digest
    assert "Since Sun 09:00: 1 Completed." in digest


async def test_digest_can_be_scheduled_and_previewed(evening: TimedProgram) -> None:
    asked = await evening.send("/digest 09:00 weekdays", LAB)
    assert asked.outcome is Outcome.ASKED
    assert "Monday to Friday at 09:00 (Europe/Berlin)" in await evening.ask(
        get_buttons(asked)["Europe/Berlin"], LAB
    )
    await _add_watched_experiment(evening, "good", "completed", began=-3, lasted=2)
    now = await evening.ask("/digest", LAB)
    assert "1 Completed" in now
    assert "Monday to Friday" in now
    assert "every day at 10:30 (Asia/Tokyo)" in await evening.ask("/digest 10:30 tz=tokyo", LAB)
    assert "every day at 10:30 (Europe/Berlin)" in await evening.ask("/digest 10:30", LAB), (
        "the person's own time zone stays"
    )
    assert "The daily digest is off here." in await evening.ask("/digest off", LAB)
    assert "was no daily digest here" in await evening.ask("/digest off", LAB)
    evening.advance(hours=24)
    assert await _send_due_digests(evening) == []
    assert "no runs" in await evening.ask("/digest")
