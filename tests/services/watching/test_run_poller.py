"""Polling of runs: cards show at once that a run's script has started."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clearml_chatops.models.experiments import Status
from clearml_chatops.models.runs import RunActivity
from clearml_chatops.services.watching.run_poller import find_ready_ids
from clearml_chatops.storage.cards import CardStore
from tests.support.watched_runs import WatchedRuns, open_watched_runs

_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SETTING_UP = RunActivity("e1", "a run", Status.RUNNING, _NOON, is_setting_up=True)
_BY_AGENT = "Changed by clearml-agent lab:gpu0"


@pytest.fixture
async def runs(tmp_path: Path) -> AsyncIterator[WatchedRuns]:
    async with open_watched_runs(tmp_path) as runs:
        yield runs


@pytest.mark.parametrize(
    ("before", "now", "is_ready"),
    [
        ({"e1"}, replace(_SETTING_UP, is_setting_up=False), True),
        ({"e1"}, _SETTING_UP, False),
        (set(), replace(_SETTING_UP, is_setting_up=False), False),
        ({"e2"}, replace(_SETTING_UP, is_setting_up=False), False),
        ({"e1"}, replace(_SETTING_UP, status=Status.FAILED, is_setting_up=False), False),
    ],
)
def test_when_an_environment_is_ready(before: set[str], now: RunActivity, *, is_ready: bool) -> None:
    assert find_ready_ids(before, [now]) == (["e1"] if is_ready else [])


async def test_ready_environment_updates_the_card_without_a_message(runs: WatchedRuns) -> None:
    task = await runs.add_watched_run(status_message=_BY_AGENT)
    conversation = runs.program.conversation
    process = runs.program.program.process
    async with process.database.writing() as session:
        await CardStore(session).put(conversation, "1", task["id"], is_card=True)
    assert await runs.poll() == []
    assert "setting up its environment" in await runs.program.ask(f"/show {task['id']}")
    async with process.database.reading() as session:
        assert await CardStore(session).list_due(conversation.platform, now=runs.clock()) == []
    runs.report_scalar(task, "loss/train", 2.0, 1.0)
    assert await runs.poll() == []
    async with process.database.reading() as session:
        (due,) = await CardStore(session).list_due(conversation.platform, now=runs.clock())
    assert due.experiment_id == task["id"]
