"""Setting alerts, listing them and taking them back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clearml_chatops.models.people import Role
from clearml_chatops.sandbox.documents import Document
from clearml_chatops.services.watching.alerts import MOST_ALERTS
from tests.support.program import buttons, plain_text
from tests.support.watched_runs import WatchedRuns, watched_runs


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with watched_runs(tmp_path) as world:
        yield world


@pytest.fixture
async def task(runs: WatchedRuns) -> Document:
    """A run with two scalars of one series, which is the current experiment."""
    task = runs.run()
    runs.report(task, "val/acc", 0.5)
    runs.report(task, "train/acc", 0.6)
    runs.report(task, "train/loss", 2.0)
    await runs.program.ask(f"/use {task['id']}")
    return task


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/alert metric val/acc>0.9", "Alert 1 for “a run” (Running): val/acc > 0.9."),
        ("/alert metric VAL/ACC >= 9e-1 a run", "val/acc >= 0.9"),
        ("/alert metric loss<1e-3 last", "train/loss < 0.001"),
        ("/alert_metric loss≤1", "train/loss <= 1"),
        ("/alert log “loss=nan|inf”", "log “loss=nan|inf”"),
        ("/alert log '^epoch \\d+'", "log “^epoch \\d+”"),
    ],
)
async def test_what_is_waited_for_is_repeated_in_full(
    runs: WatchedRuns, task: Document, line: str, shown: str
) -> None:
    reply = await runs.program.say(line)
    assert shown in plain_text(reply)
    assert reply.experiment_id == task["id"]
    assert buttons(reply) == {"Remove": "/alert off 1", "Alerts": "/alert"}


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("/alert metric", "usage", "needs <condition>"),
        ("/alert metric val/acc", "invalid_value", "is not a condition"),
        ("/alert metric acc>0.9", "ambiguous_metric", "“acc” fits train/acc and val/acc of “a run”"),
        ("/alert metric val/ac_c>0.9", "metric_not_found", "Did you mean val/acc"),
        ("/alert metric loss<1 nowhere", "experiment_not_found", "nowhere"),
        ("/alert log", "usage", "needs <pattern>"),
        ("/alert log ''", "invalid_value", "a regular expression"),
        ("/alert log '(a'", "bad_pattern", "missing ) at character 3"),
        ("/alert log a b c", "usage", "what has spaces needs quotes"),
        ("/alert off", "usage", "needs <number>"),
        ("/alert off 7", "alert_not_found", "There is no alert 7 here"),
        ("/alert off first", "invalid_value", "give one of the list, or all"),
    ],
)
async def test_what_cannot_be_done_is_one_clear_sentence(
    runs: WatchedRuns, task: Document, line: str, code: str, sentence: str
) -> None:
    reply = await runs.program.say(line)
    assert sentence in plain_text(reply)
    assert await runs.program.error_code(line) == code
    assert "There are no alerts here" in await runs.program.ask("/alert")
    assert task


async def test_a_name_that_is_still_to_come_can_be_waited_for(runs: WatchedRuns, task: Document) -> None:
    reply = await runs.program.say("/alert metric test/acc>0.912345678")
    line = buttons(reply)["Wait for it all the same"]
    assert line == f"/alert metric 'test/acc > 0.912345678' {task['id']} --new"
    assert "It has reported nothing of this name so far." in await runs.program.ask(line)


async def test_what_is_so_already_is_said_and_not_waited_for(runs: WatchedRuns, task: Document) -> None:
    said = await runs.program.ask("/alert metric val/acc>0.1")
    assert "It is so already: val/acc of “a run” is 0.5. No alert is set." in said
    assert "There are no alerts here" in await runs.program.ask("/alert")
    assert task


@pytest.mark.parametrize("line", ["/alert metric val/acc>0.9", "/alert log nan"])
async def test_of_a_run_that_is_over_nothing_will_come(runs: WatchedRuns, task: Document, line: str) -> None:
    runs.end(task, "failed")
    assert "is Failed, so nothing more will come of it" in plain_text(await runs.program.say(line))
    assert await runs.program.error_code(line) == "nothing_will_come"


async def test_the_same_wish_twice_is_one(runs: WatchedRuns, task: Document) -> None:
    for line in ("/alert log nan", f"/alert log nan {task['id']}"):
        assert "Alert 1 for" in await runs.program.ask(line)
    assert "1 alert here" in await runs.program.ask("/alert")


async def test_alerts_come_in_pages_with_a_button_for_each(runs: WatchedRuns, task: Document) -> None:
    for number in range(12):
        await runs.program.ask(f"/alert metric val/acc>{number + 1}")
    runs.sandbox.requests.clear()
    first = await runs.program.say("/alert")
    assert "12 alerts here" in plain_text(first)
    assert "1–10 of 12" in plain_text(first)
    second = await runs.program.say(buttons(first)["Next ›"])
    assert "Removed: val/acc > 12 of “a run”." in await runs.program.ask(buttons(second)["Remove 12"])
    assert "There is no page 3." in await runs.program.ask("/alert page=3")
    assert "and 6 more" in await runs.program.ask("/alert off all")
    assert "There are no alerts here." in await runs.program.ask("/alert off all")
    assert runs.sandbox.requests.names() == []
    assert task


async def test_there_is_an_end_to_wishes(runs: WatchedRuns, task: Document) -> None:
    for number in range(MOST_ALERTS):
        await runs.program.ask(f"/alert metric val/acc>{number + 1}")
    assert await runs.program.error_code("/alert metric val/acc>1000") == "too_many_alerts"
    assert task


async def test_whoever_may_look_may_be_told(runs: WatchedRuns, task: Document) -> None:
    viewer = await runs.program.introduce(runs.sandbox.carol, Role.VIEWER)
    assert "Alert 1" in await viewer.ask(f"/alert metric val/acc>0.9 {task['id']}")
    assert "Alert 2" in await viewer.ask(f"/alert log nan {task['id']}")
