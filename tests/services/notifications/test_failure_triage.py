"""Why runs failed: of a thousand at once too, without anything else waiting for it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.failure_triage import FailureTriage
from clearml_chatops.services.notifications.triage import FailureKind
from tests.support.program import RunningProgram
from tests.support.waiting import until

_LOG = "events.get_task_log"
_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def failed(sandbox: Sandbox) -> ExperimentEvent:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    task = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    return ExperimentEvent(EventKind.FAILED, task["id"], task["name"], at=_NOON)


async def test_the_logs_of_many_failures_are_all_read(
    program: RunningProgram, sandbox: Sandbox, failed: ExperimentEvent
) -> None:
    triage = FailureTriage(program.program.process.clearml.bot, patience=timedelta(minutes=1))
    found = await asyncio.gather(*(triage.of(failed) for _ in range(20)))
    assert {item.kind for item in found if item} == {FailureKind.CUDA_OUT_OF_MEMORY}
    assert len([item for item in found if item]) == len(sandbox.requests.named(_LOG)) == 20


async def test_a_command_is_answered_while_no_log_comes(
    program: RunningProgram, sandbox: Sandbox, failed: ExperimentEvent
) -> None:
    triage = FailureTriage(program.program.process.clearml.bot, patience=timedelta(seconds=0.2))
    sandbox.faults.delay(_LOG, 3600)
    asking = [asyncio.create_task(triage.of(failed)) for _ in range(20)]
    await until(lambda: len(sandbox.requests.named(_LOG)) == 2)
    assert "baseline" in await program.ask("/find baseline")
    assert await asyncio.gather(*asking) == [None] * 20, "they are told of without their logs"
    assert len(sandbox.requests.named(_LOG)) == 2, "what nobody waits for any more is not asked"


async def test_nothing_is_asked_of_what_has_not_failed(
    program: RunningProgram, sandbox: Sandbox, failed: ExperimentEvent
) -> None:
    triage = FailureTriage(program.program.process.clearml.bot)
    completed = ExperimentEvent(EventKind.COMPLETED, failed.experiment_id, "completed", at=_NOON)
    assert await triage.of(completed) is None
    assert sandbox.requests.named(_LOG) == []


async def test_a_log_that_cannot_be_had_is_left_out(program: RunningProgram) -> None:
    triage = FailureTriage(program.program.process.clearml.bot)
    assert await triage.of(ExperimentEvent(EventKind.FAILED, "0" * 32, "deleted", at=_NOON)) is None
