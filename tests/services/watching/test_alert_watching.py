"""Alerts: told once, of what happens after they were set, whatever happens to the bot meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clearml_chatops.models.errors import ClearMLUnreachableError
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.services.watching import alert_watching
from clearml_chatops.services.watching.alert_watching import GRACE, AlertWatching
from clearml_chatops.storage.alerts import AlertStore
from clearml_chatops.storage.outbox import OutboxStore
from clearml_chatops.storage.people import PeopleStore
from tests.services.watching.test_log_patterns import CATASTROPHE
from tests.support.program import plain_text
from tests.support.watched_runs import WatchedRuns, watched_runs


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with watched_runs(tmp_path) as world:
        yield world


async def set_alert(runs: WatchedRuns, line: str, task: dict[str, Any]) -> None:
    assert "You are told here once" in await runs.program.ask(f"{line} {task['id']}")


# ── Values ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_value_is_told_once_with_what_one_may_do(runs: WatchedRuns) -> None:
    task = runs.run()
    runs.report(task, "val/acc", 0.5)
    await set_alert(runs, "/alert metric acc>0.9", task)
    assert await runs.look() == []
    runs.report(task, "val/acc", 0.95)
    (told,) = await runs.look()
    assert told.splitlines() == [
        "“a run”: val/acc is 0.95. You wanted to be told of val/acc > 0.9.",
        f"[Show] /show {task['id']}",
        f"[Log] /log {task['id']}",
        f"[Abort] /abort {task['id']}",
    ]
    runs.report(task, "val/acc", 0.99)
    assert await runs.look() == []
    assert "There are no alerts here" in await runs.program.ask("/alert")


async def test_the_message_is_about_its_experiment(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report(task, "val/acc", 0.95)
    await runs.watching.look()
    (reply,) = await runs.delivered()
    assert reply.experiment_id == task["id"]


async def test_a_value_that_came_and_went_between_two_looks_is_told(runs: WatchedRuns) -> None:
    task = runs.run()
    runs.report(task, "loss/train", 3.0)
    await set_alert(runs, "/alert metric loss/train<1", task)
    runs.report(task, "loss/train", 0.8, 2.5)
    (told,) = await runs.look()
    assert "loss/train has been 0.8, and is 2.5 now." in told


async def test_what_was_before_the_alert_was_set_is_not_told(runs: WatchedRuns) -> None:
    task = runs.run()
    runs.report(task, "val/acc", 0.95, 0.5)
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    assert await runs.look() == []
    runs.report(task, "val/acc", 0.6)
    assert await runs.look() == []
    runs.report(task, "val/acc", 0.92)
    assert len(await runs.look()) == 1


async def test_a_name_is_matched_when_it_comes(runs: WatchedRuns) -> None:
    task = runs.run(status="created")
    await set_alert(runs, "/alert metric VAL/acc>0.9", task)
    assert await runs.look() == []
    task["status"] = "in_progress"
    runs.report(task, "val/acc_top5", 0.99)
    assert await runs.look() == []
    runs.report(task, "val/acc", 0.5)
    assert await runs.look() == []
    runs.report(task, "val/acc", 0.91)
    (told,) = await runs.look()
    assert "val/acc is 0.91" in told


async def test_several_alerts_of_one_run_and_one_moment_are_all_told(runs: WatchedRuns) -> None:
    task = runs.run()
    for line in ("/alert metric val/acc>0.9", "/alert metric val/acc>0.8", '/alert log "boom"'):
        await set_alert(runs, line, task)
    runs.report(task, "val/acc", 0.95)
    runs.log(task, "boom")
    assert len(await runs.look()) == 3


async def test_a_run_that_begins_anew_counts_anew(runs: WatchedRuns) -> None:
    task = runs.run()
    runs.report(task, "val/acc", 0.95, 0.5)
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    task.update(status="created", last_metrics={})
    assert await runs.look() == []
    task.update(status="in_progress")
    runs.report(task, "val/acc", 0.91, 0.4)
    (told,) = await runs.look()
    assert "has been 0.91" in told


# ── Log lines ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_new_line_is_told_and_quoted_as_it_is(runs: WatchedRuns) -> None:
    task = runs.run("<!channel>")
    runs.log(task, "error in the beginning")
    await set_alert(runs, '/alert log "error \\w+"', task)
    assert await runs.look() == []
    runs.log(task, "all is well", "  <b>error</b> error E7 & more  ", "error again")
    (told,) = await runs.look()
    assert told.splitlines()[:2] == [
        "“<!channel>” has logged what you wanted to be told of: log “error \\w+”.",
        "<b>error</b> error E7 & more",
    ]
    runs.log(task, "error again")
    assert await runs.look() == []


async def test_the_lines_of_an_event_are_lines(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, '/alert log "^third"', task)
    runs.log(task, "first\nsecond\nthird of them\n")
    (told,) = await runs.look()
    assert told.splitlines()[1] == "third of them"


async def test_a_long_line_is_cut(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, "/alert log nan", task)
    runs.log(task, "nan " + "x" * 9000)
    (told,) = await runs.look()
    assert len(told) < 1000


async def test_lines_are_found_over_pages_and_over_a_restart(
    runs: WatchedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_watching, "LOG_PAGE", 4)
    monkeypatch.setattr(alert_watching, "MOST_PAGES", 3)
    task = runs.run()
    await set_alert(runs, "/alert log needle", task)
    for number in range(40):
        runs.log(task, f"line {number}", ago=40 - number)
    runs.log(task, "needle")
    told = []
    for _ in range(4):
        runs.restart()
        runs.sandbox.requests.clear()
        told += await runs.look(later=0)
        assert len(runs.sandbox.requests.named("events.get_task_log")) <= 3
    assert len(told) == 1


async def test_a_line_that_appears_behind_later_ones_is_found(runs: WatchedRuns) -> None:
    """An agent and the script write their own times, and the server shows lines some seconds later."""
    task = runs.run()
    await set_alert(runs, "/alert log needle", task)
    runs.clock.advance(seconds=30)
    runs.log(task, "early")
    assert await runs.look(later=5) == []
    runs.log(task, "needle", ago=7)
    assert len(await runs.look(later=1)) == 1


async def test_a_pattern_that_takes_too_long_is_told_and_removed(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, f'/alert log "{CATASTROPHE}"', task)
    runs.log(task, "a" * 60 + "!")
    process = replace(runs.program.program.process, clock=runs.clock)
    alerts = AlertWatching(
        clearml=process.clearml.bot,
        database=process.database,
        clock=runs.clock,
        news=process.news,
        pattern_limit=timedelta(seconds=0.05),
    )
    assert await alerts.look(await alerts.alerts(), await process.clearml.bot.run_signs([task["id"]])) == 1
    (reply,) = await runs.delivered()
    assert "was removed: the pattern takes too long to try" in plain_text(reply)
    assert await alerts.alerts() == []


# ── The end ───────────────────────────────────────────────────────────────────────────────────────


async def test_what_comes_at_the_very_end_is_told(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, "/alert log needle", task)
    runs.end(task, "failed")
    assert await runs.look(later=5) == []
    runs.log(task, "needle", ago=6)
    (told,) = await runs.look(later=GRACE.total_seconds())
    assert "has logged" in told
    assert "Abort" not in told


@pytest.mark.parametrize("line", ["/alert metric val/acc>0.9", '/alert log "needle"'])
async def test_an_alert_ends_with_its_run_and_says_so_where_nobody_else_does(runs: WatchedRuns, line: str) -> None:
    task, watched = runs.run("not watched"), await runs.watched("watched")
    for each in (task, watched):
        await set_alert(runs, line, each)
        runs.report(each, "val/acc", 0.1)
        runs.end(each)
    assert await runs.look(later=5) == []
    (told,) = await runs.look(later=GRACE.total_seconds())
    assert "“not watched” is Completed, and what you wanted to be told of did not happen" in told
    assert "There are no alerts here" in await runs.program.ask("/alert")


async def test_an_alert_on_what_was_deleted_ends(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, "/alert log needle", task)
    del runs.sandbox.state.tasks[task["id"]]
    (told,) = await runs.look()
    assert "was deleted in ClearML" in told
    assert await runs.look() == []


# ── Requests, restarts, trouble ───────────────────────────────────────────────────────────────────


async def test_nobody_waits_so_clearml_is_not_asked(runs: WatchedRuns) -> None:
    task = runs.run()
    runs.sandbox.requests.clear()
    await runs.look()
    await runs.program.ask(f"/alert log x {task['id']}")
    await runs.program.ask("/alert off all")
    runs.sandbox.requests.clear()
    await runs.look()
    assert runs.sandbox.requests.names() == []


async def test_one_request_for_the_states_one_for_the_values_and_one_for_each_log(runs: WatchedRuns) -> None:
    for number in range(5):
        task = runs.run(f"run {number}")
        await set_alert(runs, "/alert metric val/acc>0.9", task)
        if number < 2:
            await set_alert(runs, "/alert log needle", task)
            await set_alert(runs, "/alert log thread", task)
    waiting = runs.run("waits", status="queued")
    await set_alert(runs, "/alert log needle", waiting)
    runs.sandbox.requests.clear()
    await runs.look()
    assert sorted(runs.sandbox.requests.names()) == [
        "events.get_task_log",
        "events.get_task_log",
        "tasks.get_all_ex",
        "tasks.get_all_ex",
    ]
    states, values = runs.sandbox.requests.named("tasks.get_all_ex")
    assert "last_metrics" not in states.body["only_fields"]
    assert values.body["only_fields"] == ["id", "last_metrics"]


async def test_a_message_that_cannot_be_noted_leaves_the_alert_for_the_next_look(
    runs: WatchedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = runs.run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report(task, "val/acc", 0.95)
    with monkeypatch.context() as patched:

        async def full(*_arguments: object, **_options: object) -> None:
            raise OSError(28, "No space left on device")

        patched.setattr(OutboxStore, "add", full)
        with pytest.raises(Exception, match="No space left"):
            await runs.look()
    runs.restart()
    assert len(await runs.look()) == 1
    assert await runs.look() == []


async def test_two_programs_on_one_database_tell_it_once(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report(task, "val/acc", 0.95)
    process = replace(runs.program.program.process, clock=runs.clock)
    first, second = (
        AlertWatching(clearml=process.clearml.bot, database=process.database, clock=runs.clock, news=process.news)
        for _ in range(2)
    )
    seen = await first.alerts()
    signs = await process.clearml.bot.run_signs([task["id"]])
    assert (await first.look(seen, signs), await second.look(seen, signs)) == (1, 0)
    assert len(await runs.delivered()) == 1


async def test_clearml_being_down_loses_nothing(runs: WatchedRuns) -> None:
    task = runs.run()
    await set_alert(runs, "/alert log needle", task)
    port = int(runs.sandbox.url.rpartition(":")[2])
    await runs.sandbox.aclose()
    with pytest.raises(ClearMLUnreachableError):
        await runs.look()
    await runs.sandbox.start(port=port)
    runs.log(task, "needle", ago=3)
    assert len(await runs.look()) == 1


async def test_one_log_that_cannot_be_read_keeps_no_other_from_being_read(runs: WatchedRuns) -> None:
    first, second = runs.run("first"), runs.run("second")
    for task in (first, second):
        await set_alert(runs, "/alert log needle", task)
        runs.log(task, "needle")
    process = replace(runs.program.program.process, clock=runs.clock)
    signs = await process.clearml.bot.run_signs([first["id"], second["id"]])
    del runs.sandbox.state.tasks[min(first["id"], second["id"])]
    alerts = AlertWatching(
        clearml=process.clearml.bot, database=process.database, clock=runs.clock, news=process.news
    )
    with pytest.raises(Exception, match="Invalid task id"):
        await alerts.look(await alerts.alerts(), signs)
    assert len(await runs.delivered()) == 1


async def test_each_conversation_has_its_own(runs: WatchedRuns) -> None:
    task = runs.run()
    viewer = await runs.program.introduce(runs.sandbox.carol, Role.VIEWER)
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    assert "Alert 2" in await viewer.ask(f"/alert metric val/acc>0.8 {task['id']}")
    assert "1 alert here" in await viewer.ask("/alert")
    assert await viewer.error_code("/alert off 1") == "alert_not_found"
    runs.report(task, "val/acc", 0.85)
    assert await runs.look() == []
    (told,) = await runs.delivered(viewer)
    assert "val/acc is 0.85" in plain_text(told)


async def test_whom_an_alert_does_not_reach_it_reaches_elsewhere(runs: WatchedRuns) -> None:
    """Nobody watches the experiment: the alert itself tells whose it is."""
    task = runs.run()
    await set_alert(runs, "/alert metric val/acc>0.9", task)
    runs.report(task, "val/acc", 0.95)
    await runs.watching.look()
    process = replace(runs.program.program.process, clock=runs.clock)
    person = await runs.program.person()
    assert person
    async with process.database.writing() as session:
        await PeopleStore(session).link(Identity("slack", "U1", "T1"), person.id)
    here = runs.program.conversation
    (message,) = await process.notifications.due(here.platform, here.id)
    elsewhere = await process.notifications.gone(message, ["slack"])
    assert elsewhere == Conversation("slack", "U1")
    (again,) = await process.notifications.due("slack", "U1")
    assert "val/acc is 0.95" in again.notices[0].text


async def test_a_number_is_never_given_twice(runs: WatchedRuns) -> None:
    """A button of an old list would remove another alert."""
    task = runs.run()
    await set_alert(runs, "/alert log first", task)
    await runs.program.ask("/alert off 1")
    await set_alert(runs, "/alert log second", task)
    assert await runs.program.error_code("/alert off 1") == "alert_not_found"
    async with runs.program.program.process.database.reading() as session:
        assert [item.number for item in await AlertStore(session).everywhere()] == [2]
