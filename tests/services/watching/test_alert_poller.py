"""Alerts: notified once, for what happens after they were set, also across restarts and outages."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.services.watching import alert_poller
from clearml_chatops.services.watching.alert_poller import END_GRACE, AlertPoller
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from tests.services.watching.test_log_patterns import CATASTROPHIC_PATTERN
from tests.support.program import to_plain_text
from tests.support.watched_runs import WatchedRuns, open_watched_runs


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with open_watched_runs(tmp_path) as runs:
        yield runs


async def set_alert(runs: WatchedRuns, line: str, task: dict[str, Any]) -> None:
    assert "You get notified here once" in await runs.program.ask(f"{line} {task['id']}")


# ── Metrics ────────────────────────────────────────────────────────────────────────────────────────


async def test_metric_alert_is_notified_once_with_actions(runs: WatchedRuns) -> None:
    task = runs.add_run()
    runs.report_scalar(task, "val/acc", 0.5)
    await set_alert(runs, "/alert metric acc>0.9", task)
    assert await runs.poll() == []
    runs.report_scalar(task, "val/acc", 0.95)
    (message,) = await runs.poll()
    assert message.splitlines() == [
        "“a run”: val/acc is 0.95. Alert: val/acc > 0.9.",
        f"[Show] /show {task['id']}",
        f"[Show log] /log {task['id']}",
        f"[Abort] /abort {task['id']}",
    ]
    runs.report_scalar(task, "val/acc", 0.99)
    assert await runs.poll() == []
    assert "There are no alerts here" in await runs.program.ask("/alert")


async def test_alert_message_refers_to_its_experiment(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report_scalar(task, "val/acc", 0.95)
    await runs.poller.poll()
    (reply,) = await runs.deliver()
    assert reply.experiment_id == task["id"]


async def test_value_reached_between_two_polls_is_notified(runs: WatchedRuns) -> None:
    task = runs.add_run()
    runs.report_scalar(task, "loss/train", 3.0)
    await set_alert(runs, "/alert metric loss/train<1", task)
    runs.report_scalar(task, "loss/train", 0.8, 2.5)
    (message,) = await runs.poll()
    assert "loss/train reached 0.8 and is 2.5 now." in message


async def test_values_before_the_alert_do_not_count(runs: WatchedRuns) -> None:
    task = runs.add_run()
    runs.report_scalar(task, "val/acc", 0.95, 0.5)
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    assert await runs.poll() == []
    runs.report_scalar(task, "val/acc", 0.6)
    assert await runs.poll() == []
    runs.report_scalar(task, "val/acc", 0.92)
    assert len(await runs.poll()) == 1


async def test_metric_name_is_matched_once_reported(runs: WatchedRuns) -> None:
    task = runs.add_run(status="created")
    await set_alert(runs, "/alert metric VAL/acc>0.9", task)
    assert await runs.poll() == []
    task["status"] = "in_progress"
    runs.report_scalar(task, "val/acc_top5", 0.99)
    assert await runs.poll() == []
    runs.report_scalar(task, "val/acc", 0.5)
    assert await runs.poll() == []
    runs.report_scalar(task, "val/acc", 0.91)
    (message,) = await runs.poll()
    assert "val/acc is 0.91" in message


async def test_simultaneous_alerts_of_one_run_are_all_notified(runs: WatchedRuns) -> None:
    task = runs.add_run()
    for line in ("/alert metric val/acc>0.9", "/alert metric val/acc>0.8", '/alert log "boom"'):
        await set_alert(runs, line, task)
    runs.report_scalar(task, "val/acc", 0.95)
    runs.add_log_lines(task, "boom")
    assert len(await runs.poll()) == 3


async def test_restarted_run_resets_the_extreme(runs: WatchedRuns) -> None:
    task = runs.add_run()
    runs.report_scalar(task, "val/acc", 0.95, 0.5)
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    task.update(status="created", last_metrics={})
    assert await runs.poll() == []
    task.update(status="in_progress")
    runs.report_scalar(task, "val/acc", 0.91, 0.4)
    (message,) = await runs.poll()
    assert "reached 0.91" in message


# ── Log lines ─────────────────────────────────────────────────────────────────────────────────────


async def test_matching_log_line_is_quoted_verbatim(runs: WatchedRuns) -> None:
    task = runs.add_run("<!channel>")
    runs.add_log_lines(task, "error in the beginning")
    await set_alert(runs, '/alert log "error \\w+"', task)
    assert await runs.poll() == []
    runs.add_log_lines(task, "all is well", "  <b>error</b> error E7 & more  ", "error again")
    (message,) = await runs.poll()
    assert message.splitlines()[:2] == [
        "“<!channel>” logged a line that matches “error \\w+”.",
        "<b>error</b> error E7 & more",
    ]
    runs.add_log_lines(task, "error again")
    assert await runs.poll() == []


async def test_multiline_log_event_is_split_into_lines(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, '/alert log "^third"', task)
    runs.add_log_lines(task, "first\nsecond\nthird of them\n")
    (message,) = await runs.poll()
    assert message.splitlines()[1] == "third of them"


async def test_long_line_is_truncated(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert log nan", task)
    runs.add_log_lines(task, "nan " + "x" * 9000)
    (message,) = await runs.poll()
    assert len(message) < 1000


async def test_log_match_across_pages_and_restarts(runs: WatchedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_poller, "LOG_PAGE_SIZE", 4)
    monkeypatch.setattr(alert_poller, "MAX_PAGES", 3)
    task = runs.add_run()
    await set_alert(runs, "/alert log needle", task)
    for number in range(40):
        runs.add_log_lines(task, f"line {number}", seconds_ago=40 - number)
    runs.add_log_lines(task, "needle")
    messages = []
    for _ in range(4):
        runs.restart()
        runs.sandbox.requests.clear()
        messages += await runs.poll(advance_by=0)
        assert len(runs.sandbox.requests.find_by_endpoint("events.get_task_log")) <= 3
    assert len(messages) == 1


async def test_late_log_line_is_found(runs: WatchedRuns) -> None:
    """Agent and script stamp their lines themselves, and the server shows lines some seconds later."""
    task = runs.add_run()
    await set_alert(runs, "/alert log needle", task)
    runs.clock.advance(seconds=30)
    runs.add_log_lines(task, "early")
    assert await runs.poll(advance_by=5) == []
    runs.add_log_lines(task, "needle", seconds_ago=7)
    assert len(await runs.poll(advance_by=1)) == 1


async def test_slow_pattern_is_notified_and_removed(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, f'/alert log "{CATASTROPHIC_PATTERN}"', task)
    runs.add_log_lines(task, "a" * 60 + "!")
    process = replace(runs.program.program.process, clock=runs.clock)
    poller = AlertPoller(
        clearml=process.clearml.bot,
        database=process.database,
        clock=runs.clock,
        outbox_wakeup=process.outbox_wakeup,
        pattern_timeout=timedelta(seconds=0.05),
    )
    assert (
        await poller.poll(await poller.list_alerts(), await process.clearml.bot.get_run_activity([task["id"]]))
        == 1
    )
    (reply,) = await runs.deliver()
    assert "was removed because its pattern is too slow" in to_plain_text(reply)
    assert await poller.list_alerts() == []


# ── The end ───────────────────────────────────────────────────────────────────────────────────────


async def test_line_logged_at_the_end_is_notified(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert log needle", task)
    runs.finish_run(task, "failed")
    assert await runs.poll(advance_by=5) == []
    runs.add_log_lines(task, "needle", seconds_ago=6)
    (message,) = await runs.poll(advance_by=END_GRACE.total_seconds())
    assert "logged a line" in message
    assert "Abort" not in message


@pytest.mark.parametrize("line", ["/alert metric val/acc>0.9", '/alert log "needle"'])
async def test_unmet_alert_ends_with_its_run_and_is_notified_unless_watched(runs: WatchedRuns, line: str) -> None:
    task, watched = runs.add_run("not watched"), await runs.add_watched_run("watched")
    for each in (task, watched):
        await set_alert(runs, line, each)
        runs.report_scalar(each, "val/acc", 0.1)
        runs.finish_run(each)
    assert await runs.poll(advance_by=5) == []
    (message,) = await runs.poll(advance_by=END_GRACE.total_seconds())
    assert "“not watched” is Completed. Its alert never fired: " in message
    assert "There are no alerts here" in await runs.program.ask("/alert")


async def test_alert_on_a_deleted_experiment_ends(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert log needle", task)
    del runs.sandbox.state.tasks[task["id"]]
    (message,) = await runs.poll()
    assert "was deleted in ClearML" in message
    assert await runs.poll() == []


# ── Requests, restarts, errors ────────────────────────────────────────────────────────────────────


async def test_no_requests_without_alerts(runs: WatchedRuns) -> None:
    task = runs.add_run()
    runs.sandbox.requests.clear()
    await runs.poll()
    await runs.program.ask(f"/alert log x {task['id']}")
    await runs.program.ask("/alert off all")
    runs.sandbox.requests.clear()
    await runs.poll()
    assert runs.sandbox.requests.list_endpoints() == []


async def test_request_count_per_poll(runs: WatchedRuns) -> None:
    for number in range(5):
        task = runs.add_run(f"run {number}")
        await set_alert(runs, "/alert metric val/acc>0.9", task)
        if number < 2:
            await set_alert(runs, "/alert log needle", task)
            await set_alert(runs, "/alert log thread", task)
    waiting = runs.add_run("waits", status="queued")
    await set_alert(runs, "/alert log needle", waiting)
    runs.sandbox.requests.clear()
    await runs.poll()
    assert sorted(runs.sandbox.requests.list_endpoints()) == [
        "events.get_task_log",
        "events.get_task_log",
        "tasks.get_all_ex",
        "tasks.get_all_ex",
    ]
    states, values = runs.sandbox.requests.find_by_endpoint("tasks.get_all_ex")
    assert "last_metrics" not in states.body["only_fields"]
    assert values.body["only_fields"] == ["id", "last_metrics"]


async def test_alert_survives_a_failed_outbox_write(runs: WatchedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report_scalar(task, "val/acc", 0.95)
    with monkeypatch.context() as patched:

        async def raise_disk_full(*_arguments: object, **_options: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(OutboxStore, "add", raise_disk_full)
        with pytest.raises(Exception, match="No space left"):
            await runs.poll()
    runs.restart()
    assert len(await runs.poll()) == 1
    assert await runs.poll() == []


async def test_two_pollers_on_one_database_notify_once(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report_scalar(task, "val/acc", 0.95)
    process = replace(runs.program.program.process, clock=runs.clock)
    first, second = (
        AlertPoller(
            clearml=process.clearml.bot,
            database=process.database,
            clock=runs.clock,
            outbox_wakeup=process.outbox_wakeup,
        )
        for _ in range(2)
    )
    alerts = await first.list_alerts()
    activity = await process.clearml.bot.get_run_activity([task["id"]])
    assert (await first.poll(alerts, activity), await second.poll(alerts, activity)) == (1, 0)
    assert len(await runs.deliver()) == 1


async def test_clearml_outage_loses_nothing(runs: WatchedRuns) -> None:
    task = runs.add_run()
    await set_alert(runs, "/alert log needle", task)
    port = int(runs.sandbox.url.rpartition(":")[2])
    await runs.sandbox.aclose()
    with pytest.raises(ClearMLUnreachableError):
        await runs.poll()
    await runs.sandbox.start(port=port)
    runs.add_log_lines(task, "needle", seconds_ago=3)
    assert len(await runs.poll()) == 1


async def test_unreadable_log_does_not_block_others(runs: WatchedRuns) -> None:
    first, second = runs.add_run("first"), runs.add_run("second")
    for task in (first, second):
        await set_alert(runs, "/alert log needle", task)
        runs.add_log_lines(task, "needle")
    process = replace(runs.program.program.process, clock=runs.clock)
    activity = await process.clearml.bot.get_run_activity([first["id"], second["id"]])
    del runs.sandbox.state.tasks[min(first["id"], second["id"])]
    poller = AlertPoller(
        clearml=process.clearml.bot,
        database=process.database,
        clock=runs.clock,
        outbox_wakeup=process.outbox_wakeup,
    )
    with pytest.raises(Exception, match="Invalid task id"):
        await poller.poll(await poller.list_alerts(), activity)
    assert len(await runs.deliver()) == 1


async def test_alerts_belong_to_their_conversation(runs: WatchedRuns) -> None:
    task = runs.add_run()
    viewer = await runs.program.add_person(runs.sandbox.carol, Role.VIEWER)
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    assert "Set alert 2" in await viewer.ask(f"/alert metric val/acc>0.8 {task['id']}")
    assert "1 alert here" in await viewer.ask("/alert")
    assert await viewer.send_for_error_code("/alert off 1") == "alert_not_found"
    runs.report_scalar(task, "val/acc", 0.85)
    assert await runs.poll() == []
    (message,) = await runs.deliver(viewer)
    assert "val/acc is 0.85" in to_plain_text(message)


async def test_alert_is_rerouted_when_its_conversation_is_gone(runs: WatchedRuns) -> None:
    """Nobody watches the experiment; the alert itself stores its person."""
    task = runs.add_run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report_scalar(task, "val/acc", 0.95)
    await runs.poller.poll()
    process = replace(runs.program.program.process, clock=runs.clock)
    person = await runs.program.find_person()
    assert person
    async with process.database.writing() as session:
        await PeopleStore(session).link(Identity("slack", "U1", "T1"), person.id)
    conversation = runs.program.conversation
    (message,) = await process.notifications.list_due(conversation.platform, conversation.id)
    rerouted_conversation = await process.notifications.reroute(message, ["slack"])
    assert rerouted_conversation == Conversation("slack", "U1")
    (rerouted_message,) = await process.notifications.list_due("slack", "U1")
    assert "val/acc is 0.95" in rerouted_message.notices[0].text


async def test_alert_number_is_never_reused(runs: WatchedRuns) -> None:
    """Otherwise a button of an old list could remove another alert."""
    task = runs.add_run()
    await set_alert(runs, "/alert log first", task)
    await runs.program.ask("/alert off 1")
    await set_alert(runs, "/alert log second", task)
    assert await runs.program.send_for_error_code("/alert off 1") == "alert_not_found"
    async with runs.program.program.process.database.reading() as session:
        assert [item.number for item in await AlertStore(session).list_all()] == [2]
