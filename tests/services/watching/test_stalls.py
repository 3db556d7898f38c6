"""Stalls: tables of activity over time, and the alarms that are due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.alarms import AlarmKind, AlarmThresholds, Stall
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.runs import RunActivity
from clearml_chatops.services.watching.stalls import discount_outage, find_due_alarms, find_stalls

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
THRESHOLDS = AlarmThresholds()
PENDING = RunActivity("e1", "a run", Status.PENDING, NOON, queue_id="q1")
RUNNING = RunActivity(
    "e1", "a run", Status.RUNNING, NOON, worker_id="w1", worker_last_report=NOON, last_log_milliseconds=1000
)
LISTENING_WORKER = Worker("w1", ("first",), queue_ids=("q1",))
OTHER_QUEUE_WORKER = Worker("w2", ("second",), queue_ids=("q2",))

PENDING_WITHOUT_QUEUE = replace(PENDING, queue_id="")

Step = tuple[float, RunActivity, tuple[Worker, ...]]


def from_minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def run_polls(*steps: Step, thresholds: AlarmThresholds = THRESHOLDS) -> list[tuple[float, AlarmKind]]:
    """Return the alarms of these polls, each with its minute after noon."""
    known: dict[tuple[str, AlarmKind], Stall] = {}
    alarms = []
    for minute, run, workers in steps:
        now = NOON + from_minutes(minute)
        stalls = find_stalls(known, [run], workers, thresholds=thresholds, now=now)
        due_alarms = find_due_alarms(stalls, thresholds=thresholds, now=now)
        alarms += [(minute, item.kind) for item in due_alarms]
        known = {
            (item.experiment_id, item.kind): replace(item, is_notified=True) if item in due_alarms else item
            for item in stalls
        }
    return alarms


UNATTENDED, SILENT, LOST = AlarmKind.UNATTENDED, AlarmKind.SILENT, AlarmKind.WORKER_LOST


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, PENDING, ()), (9.9, PENDING, ())], [], id="below the threshold"),
        pytest.param([(0, PENDING, ()), (10, PENDING, ()), (60, PENDING, ())], [(10, UNATTENDED)], id="once"),
        pytest.param(
            [(0, PENDING, (OTHER_QUEUE_WORKER,)), (10, PENDING, (OTHER_QUEUE_WORKER,))],
            [(10, UNATTENDED)],
            id="worker of another queue",
        ),
        pytest.param(
            [(0, PENDING, (LISTENING_WORKER,)), (60, PENDING, (LISTENING_WORKER,))], [], id="busy worker"
        ),
        pytest.param(
            [
                (0, PENDING, (LISTENING_WORKER,)),
                (60, PENDING, ()),
                (61, PENDING, (LISTENING_WORKER,)),
                (70, PENDING, (LISTENING_WORKER,)),
            ],
            [],
            id="worker restarts",
        ),
        pytest.param(
            [
                (0, PENDING, ()),
                (10, PENDING, ()),
                (11, PENDING, (LISTENING_WORKER,)),
                (20, PENDING, ()),
                (30, PENDING, ()),
            ],
            [(10, UNATTENDED), (30, UNATTENDED)],
            id="again after a worker came",
        ),
        pytest.param(
            [
                (0, PENDING, ()),
                (9, replace(PENDING, status_changed=NOON + from_minutes(8)), ()),
                (12, PENDING, ()),
            ],
            [],
            id="enqueued again",
        ),
        pytest.param([(0, PENDING_WITHOUT_QUEUE, ()), (60, PENDING_WITHOUT_QUEUE, ())], [], id="queue unknown"),
    ],
)
def test_unattended_alarms(steps: list[Step], expected: list[tuple[float, AlarmKind]]) -> None:
    assert run_polls(*steps) == expected


def build_reporting_run(minute: float, **activity: int) -> RunActivity:
    return replace(RUNNING, worker_last_report=NOON + from_minutes(minute), **activity)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(
            [(0, build_reporting_run(0), ()), (29, build_reporting_run(29), ())], [], id="below the threshold"
        ),
        pytest.param(
            [
                (0, build_reporting_run(0), ()),
                (30, build_reporting_run(30), ()),
                (90, build_reporting_run(90), ()),
            ],
            [(30, SILENT)],
            id="once",
        ),
        pytest.param(
            [(0, build_reporting_run(0), ()), (30, build_reporting_run(30, last_log_milliseconds=2000), ())],
            [],
            id="logs a line",
        ),
        pytest.param(
            [(0, build_reporting_run(0), ()), (30, build_reporting_run(30, last_iteration=1), ())],
            [],
            id="reports an iteration",
        ),
        pytest.param(
            [(0, build_reporting_run(0), ()), (30, build_reporting_run(30, last_gpu_use_milliseconds=5), ())],
            [],
            id="uses a GPU",
        ),
        pytest.param(
            [
                (0, build_reporting_run(0), ()),
                (30, build_reporting_run(30), ()),
                (31, build_reporting_run(31, last_log_milliseconds=2000), ()),
                (61, build_reporting_run(61, last_log_milliseconds=2000), ()),
            ],
            [(30, SILENT), (61, SILENT)],
            id="again after a log line",
        ),
        pytest.param(
            [
                (0, build_reporting_run(0, last_log_milliseconds=10**15), ()),
                (30, build_reporting_run(30, last_log_milliseconds=10**15 + 1), ()),
            ],
            [],
            id="machine with a wrong clock",
        ),
    ],
)
def test_silent_alarms(steps: list[Step], expected: list[tuple[float, AlarmKind]]) -> None:
    assert run_polls(*steps) == expected


FRESH_RUN = replace(RUNNING, worker_last_report=None)
WORKER_WITH_RUN = Worker("w1", (), experiment_id="e1", last_seen=NOON - from_minutes(1))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, RUNNING, ()), (9.9, RUNNING, ())], [], id="below the threshold"),
        pytest.param([(0, RUNNING, ()), (10, RUNNING, ()), (29, RUNNING, ())], [(10, LOST)], id="once"),
        pytest.param(
            [(0, RUNNING, ()), (10, RUNNING, ()), (45, RUNNING, ())],
            [(10, LOST)],
            id="one alarm for lost and silent",
        ),
        pytest.param(
            [(0, FRESH_RUN, (WORKER_WITH_RUN,)), (10, FRESH_RUN, (WORKER_WITH_RUN,))],
            [(10, LOST)],
            id="fresh run",
        ),
        pytest.param(
            [(0, FRESH_RUN, (WORKER_WITH_RUN,)), (9, RUNNING, ()), (18, RUNNING, ())], [], id="first report"
        ),
        pytest.param([(0, RUNNING, ()), (10, RUNNING, (LISTENING_WORKER,))], [(10, LOST)], id="worker restarted"),
        pytest.param(
            [(0, RUNNING, ()), (9, build_reporting_run(9), ()), (18, build_reporting_run(9), ())],
            [],
            id="reported",
        ),
        pytest.param(
            [(0, FRESH_RUN, ()), (29, FRESH_RUN, ())],
            [],
            id="run without an agent",
        ),
    ],
)
def test_worker_lost_alarms(steps: list[Step], expected: list[tuple[float, AlarmKind]]) -> None:
    assert run_polls(*steps) == expected


@pytest.mark.parametrize("status", [Status.DRAFT, Status.COMPLETED, Status.FAILED, Status.ABORTED, Status.UNKNOWN])
def test_inactive_experiment_raises_no_alarm(status: Status) -> None:
    assert run_polls((0, replace(RUNNING, status=status), ()), (600, replace(RUNNING, status=status), ())) == []


@pytest.mark.parametrize("kind", list(AlarmKind))
def test_zero_threshold_disables_the_alarm(kind: AlarmKind) -> None:
    thresholds = replace(THRESHOLDS, **{kind.value: timedelta(0)})
    for run in (PENDING, RUNNING):
        assert kind not in {item for _, item in run_polls((0, run, ()), (600, run, ()), thresholds=thresholds)}


def test_silent_alarm_without_worker_lost_alarms() -> None:
    thresholds = replace(THRESHOLDS, worker_lost=timedelta(0))
    assert run_polls((0, RUNNING, ()), (30, RUNNING, ()), thresholds=thresholds) == [(30, SILENT)]


@pytest.mark.parametrize(
    ("since", "last_poll", "counted"),
    [
        pytest.param(0, 5, 5, id="time before the outage counts"),
        pytest.param(0, None, 8, id="last poll of another process is unknown"),
        pytest.param(58, None, 2, id="short stall"),
    ],
)
def test_time_without_polls_does_not_count(since: float, last_poll: float | None, counted: float) -> None:
    now = NOON + from_minutes(60)
    known = {("e1", LOST): Stall("e1", LOST, "x", NOON + from_minutes(since))}
    last_poll_at = NOON + from_minutes(last_poll) if last_poll is not None else None
    after = discount_outage(known, last_poll=last_poll_at, thresholds=THRESHOLDS, now=now)
    assert now - after["e1", LOST].since == from_minutes(counted)


def test_notified_stall_stays_notified_after_an_outage() -> None:
    known = {("e1", LOST): Stall("e1", LOST, "x", NOON, is_notified=True)}
    assert discount_outage(known, last_poll=None, thresholds=THRESHOLDS, now=NOON + from_minutes(60)) == known
