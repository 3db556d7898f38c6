"""Setting, listing and removing alerts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.watching.alerts import MAX_ALERTS
from tests.support.program import get_buttons, to_plain_text
from tests.support.watched_runs import WatchedRuns, open_watched_runs


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with open_watched_runs(tmp_path) as runs:
        yield runs


@pytest.fixture
async def task(runs: WatchedRuns) -> Document:
    """The current experiment: a run with three scalars, two of them of one series."""
    task = runs.add_run()
    runs.report_scalar(task, "val/acc", 0.5)
    runs.report_scalar(task, "train/acc", 0.6)
    runs.report_scalar(task, "train/loss", 2.0)
    await runs.program.ask(f"/use {task['id']}")
    return task


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/alert metric val/acc>0.9", "Set alert 1 for “a run” (Running): val/acc > 0.9."),
        ("/alert metric VAL/ACC >= 9e-1 a run", "val/acc >= 0.9"),
        ("/alert metric loss<1e-3 last", "train/loss < 0.001"),
        ("/alert_metric loss≤1", "train/loss <= 1"),
        ("/alert log “loss=nan|inf”", "log matches “loss=nan|inf”"),
        ("/alert log '^epoch \\d+'", "log matches “^epoch \\d+”"),
    ],
)
async def test_new_alert_reply_shows_condition(
    runs: WatchedRuns, task: Document, line: str, expected: str
) -> None:
    reply = await runs.program.send(line)
    assert expected in to_plain_text(reply)
    assert reply.experiment_id == task["id"]
    assert get_buttons(reply) == {"Remove alert": "/alert off 1", "Show alerts": "/alert"}


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("/alert metric", "usage", "needs <condition>"),
        ("/alert metric val/acc", "invalid_value", "isn't a condition"),
        ("/alert metric acc>0.9", "ambiguous_metric", "“acc” matches train/acc and val/acc of “a run”"),
        ("/alert metric val/ac_c>0.9", "metric_not_found", "Did you mean val/acc"),
        ("/alert metric loss<1 nowhere", "experiment_not_found", "nowhere"),
        ("/alert log", "usage", "needs <pattern>"),
        ("/alert log ''", "invalid_value", "a regular expression"),
        ("/alert log '(a'", "bad_pattern", "missing ) at character 3"),
        ("/alert log a b c", "usage", "Put values with spaces in quotes"),
        ("/alert off", "usage", "needs <number>"),
        ("/alert off 7", "alert_not_found", "There's no alert 7 here"),
        ("/alert off first", "invalid_value", "Use a number from the list, or all"),
    ],
)
async def test_invalid_alert_is_refused(
    runs: WatchedRuns, task: Document, line: str, code: str, sentence: str
) -> None:
    reply = await runs.program.send(line)
    assert sentence in to_plain_text(reply)
    assert await runs.program.send_for_error_code(line) == code
    assert "There are no alerts here" in await runs.program.ask("/alert")
    assert task


async def test_alert_can_be_set_on_unreported_metric(runs: WatchedRuns, task: Document) -> None:
    reply = await runs.program.send("/alert metric test/acc>0.912345678")
    line = get_buttons(reply)["Set alert anyway"]
    assert line == f"/alert metric 'test/acc > 0.912345678' {task['id']} --new"
    assert "The run hasn't reported this metric yet." in await runs.program.ask(line)


async def test_condition_already_met_sets_no_alert(runs: WatchedRuns, task: Document) -> None:
    reply = await runs.program.ask("/alert metric val/acc>0.1")
    assert "That's already true: val/acc of “a run” is 0.5. No alert was set." in reply
    assert "There are no alerts here" in await runs.program.ask("/alert")
    assert task


@pytest.mark.parametrize("line", ["/alert metric val/acc>0.9", "/alert log nan"])
async def test_alert_on_finished_run_is_refused(runs: WatchedRuns, task: Document, line: str) -> None:
    runs.finish_run(task, "failed")
    assert "is Failed, so it reports and logs nothing more" in to_plain_text(await runs.program.send(line))
    assert await runs.program.send_for_error_code(line) == "run_ended"


async def test_duplicate_alert_is_not_added(runs: WatchedRuns, task: Document) -> None:
    for line in ("/alert log nan", f"/alert log nan {task['id']}"):
        assert "Set alert 1 for" in await runs.program.ask(line)
    assert "1 alert here" in await runs.program.ask("/alert")


async def test_alerts_are_paged_with_remove_buttons(runs: WatchedRuns, task: Document) -> None:
    for number in range(12):
        await runs.program.ask(f"/alert metric val/acc>{number + 1}")
    runs.sandbox.requests.clear()
    first = await runs.program.send("/alert")
    assert "12 alerts here" in to_plain_text(first)
    assert "1–10 of 12" in to_plain_text(first)
    second = await runs.program.send(get_buttons(first)["Next ›"])
    assert "Removed: val/acc > 12 for “a run”." in await runs.program.ask(get_buttons(second)["Remove alert 12"])
    assert "There's no page 3." in await runs.program.ask("/alert page=3")
    assert "and 6 more" in await runs.program.ask("/alert off all")
    assert "There are no alerts here." in await runs.program.ask("/alert off all")
    assert runs.sandbox.requests.list_endpoints() == []
    assert task


async def test_number_of_alerts_is_limited(runs: WatchedRuns, task: Document) -> None:
    for number in range(MAX_ALERTS):
        await runs.program.ask(f"/alert metric val/acc>{number + 1}")
    assert await runs.program.send_for_error_code("/alert metric val/acc>1000") == "too_many_alerts"
    assert task


async def test_viewer_can_set_alerts(runs: WatchedRuns, task: Document) -> None:
    viewer = await runs.program.add_person(runs.sandbox.carol, Role.VIEWER)
    assert "Set alert 1" in await viewer.ask(f"/alert metric val/acc>0.9 {task['id']}")
    assert "Set alert 2" in await viewer.ask(f"/alert log nan {task['id']}")
