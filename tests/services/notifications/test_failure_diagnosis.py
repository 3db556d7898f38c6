"""Diagnosis of many failed runs at once, which must not delay commands."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.handlers.notification_messages import build_notification_message
from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notification
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.services.notifications.due_messages import DueMessage
from clearml_chatops.services.notifications.failure_diagnosis import FailureDiagnosisService
from clearml_chatops.services.notifications.failure_patterns.rows import FailureCause
from tests.support.experiments import add_failed_run
from tests.support.polling import wait_until
from tests.support.program import RunningProgram, get_buttons

_LOG = "events.get_task_log"
_ORDINAL = (
    "Traceback (most recent call last):",
    '  File "train.py", line 41, in <module>',
    "RuntimeError: CUDA error: invalid device ordinal",
)
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


async def test_a_bug_in_the_diagnosis_holds_nothing_back(
    program: RunningProgram,
    failed: ExperimentEvent,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr("clearml_chatops.services.notifications.failure_diagnosis.diagnose_log", fail)
    assert await FailureDiagnosisService(program.program.process.clearml.bot).diagnose(failed) is None
    assert "Can't diagnose a failed run" in caplog.text


async def test_the_gpu_parameter_is_named_and_one_button_runs_a_clone_that_fits(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    """A worker with GPU 1 of its machine: its runs see that GPU as GPU 0."""
    await program.ask("/queue create")
    queue = sandbox.state.find_queue("alice_queue")
    assert queue is not None
    task = add_failed_run(sandbox, *_ORDINAL, worker="lab:alice_queue:gpu1", queue=queue["id"], gpus="1")
    event = ExperimentEvent(EventKind.FAILED, task["id"], task["name"], at=_NOON)
    diagnosis = await program.program.process.failure_diagnosis.diagnose(event)
    assert diagnosis is not None
    assert "lab:alice_queue:gpu1 has 1 GPU, which its runs see as GPU 0." in diagnosis.summary
    reply = build_notification_message(
        DueMessage((Notification(1, event, program.conversation, 0, _NOON),), diagnosis)
    )
    rerun = await program.send(get_buttons(reply)["Rerun with gpus=0"])
    clone = sandbox.state.tasks[rerun.experiment_id]
    assert clone["hyperparams"]["Args"]["gpus"]["value"] == "0"
    assert (clone["status"], clone["execution"]["queue"]) == ("queued", queue["id"])
    assert task["hyperparams"]["Args"]["gpus"]["value"] == "1"


async def test_mounts_of_the_experiment_are_read(program: RunningProgram, sandbox: Sandbox) -> None:
    line = "FileNotFoundError: [Errno 2] No such file or directory: '/data/train.csv'"
    task = add_failed_run(sandbox, line, worker="lab:gpu0", container="--ipc=host")
    event = ExperimentEvent(EventKind.FAILED, task["id"], task["name"], at=_NOON)
    diagnosis = await program.program.process.failure_diagnosis.diagnose(event)
    assert diagnosis is not None
    assert '/container args="--ipc=host -v /data:/data"' in diagnosis.summary


async def test_the_cause_is_named_if_the_experiment_cannot_be_read(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    task = add_failed_run(sandbox, *_ORDINAL, worker="lab:gpu0", gpus="1")
    sandbox.faults.answer("tasks.get_all_ex", status=500, body="broken", times=9)
    event = ExperimentEvent(EventKind.FAILED, task["id"], task["name"], at=_NOON)
    diagnosis = await program.program.process.failure_diagnosis.diagnose(event)
    assert diagnosis is not None
    assert diagnosis.cause is FailureCause.GPU_NOT_THERE
    assert diagnosis.suggested_change is None
