"""Diagnosis of many failed runs at once, which must not delay commands."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.notifications import EventKind, ExperimentEvent
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.diagnosis import FailureCause
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from tests.support.polling import wait_until
from tests.support.program import RunningProgram

_LOG = "events.get_task_log"
_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def failed(sandbox: Sandbox) -> ExperimentEvent:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    task = next(task for task in sandbox.state.tasks.values() if task["status"] == "failed")
    return ExperimentEvent(EventKind.FAILED, task["id"], task["name"], at=_NOON)


async def test_logs_of_many_failures_are_all_read(
    program: RunningProgram, sandbox: Sandbox, failed: ExperimentEvent
) -> None:
    service = FailureDiagnosisService(program.program.process.clearml.bot, timeout=timedelta(minutes=1))
    found = await asyncio.gather(*(service.diagnose(failed) for _ in range(20)))
    assert {item.cause for item in found if item} == {FailureCause.CUDA_OUT_OF_MEMORY}
    assert len([item for item in found if item]) == len(sandbox.requests.find_by_endpoint(_LOG)) == 20


async def test_commands_are_answered_while_logs_are_slow(
    program: RunningProgram, sandbox: Sandbox, failed: ExperimentEvent
) -> None:
    service = FailureDiagnosisService(program.program.process.clearml.bot, timeout=timedelta(seconds=0.2))
    sandbox.faults.delay(_LOG, 3600)
    tasks = [asyncio.create_task(service.diagnose(failed)) for _ in range(20)]
    await wait_until(lambda: len(sandbox.requests.find_by_endpoint(_LOG)) == 2)
    assert "baseline" in await program.ask("/find baseline")
    assert await asyncio.gather(*tasks) == [None] * 20, "they are sent without a diagnosis"
    assert len(sandbox.requests.find_by_endpoint(_LOG)) == 2, "no request is made after the timeout"


async def test_no_log_request_for_a_completed_run(
    program: RunningProgram, sandbox: Sandbox, failed: ExperimentEvent
) -> None:
    service = FailureDiagnosisService(program.program.process.clearml.bot)
    completed = ExperimentEvent(EventKind.COMPLETED, failed.experiment_id, "completed", at=_NOON)
    assert await service.diagnose(completed) is None
    assert sandbox.requests.find_by_endpoint(_LOG) == []


async def test_unavailable_log_gives_no_diagnosis(program: RunningProgram) -> None:
    service = FailureDiagnosisService(program.program.process.clearml.bot)
    assert await service.diagnose(ExperimentEvent(EventKind.FAILED, "0" * 32, "deleted", at=_NOON)) is None
