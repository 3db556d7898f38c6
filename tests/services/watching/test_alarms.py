"""When what waits or runs is in vain: tables of how it stands, and what is told of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearml_chatops.models.alarms import AlarmKind, AlarmSpans, Standstill
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.queues import Worker
from clearml_chatops.models.runs import RunSigns
from clearml_chatops.services.watching.alarms import after_blindness, due, standstills

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPANS = AlarmSpans()
PENDING = RunSigns("e1", "a run", Status.PENDING, NOON, queue_id="q1")
RUNNING = RunSigns("e1", "a run", Status.RUNNING, NOON, worker_id="w1", worker_reported=NOON, last_log=1000)
LISTENS = Worker("w1", ("first",), queue_ids=("q1",))
ELSEWHERE = Worker("w2", ("second",), queue_ids=("q2",))

NOWHERE = replace(PENDING, queue_id="")

Step = tuple[float, RunSigns, tuple[Worker, ...]]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def told(*steps: Step, spans: AlarmSpans = SPANS) -> list[tuple[float, AlarmKind]]:
    """The alarms of these looks, each with the minute after noon at which it came."""
    known: dict[tuple[str, AlarmKind], Standstill] = {}
    alarms = []
    for minute, run, workers in steps:
        now = NOON + minutes(minute)
        standing = standstills(known, [run], workers, spans=spans, now=now)
        alarming = due(standing, spans=spans, now=now)
        alarms += [(minute, item.kind) for item in alarming]
        known = {
            (item.experiment_id, item.kind): replace(item, told=True) if item in alarming else item
            for item in standing
        }
    return alarms


UNATTENDED, SILENT, LOST = AlarmKind.UNATTENDED, AlarmKind.SILENT, AlarmKind.WORKER_LOST


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, PENDING, ()), (9.9, PENDING, ())], [], id="not long yet"),
        pytest.param([(0, PENDING, ()), (10, PENDING, ()), (60, PENDING, ())], [(10, UNATTENDED)], id="once"),
        pytest.param([(0, PENDING, (ELSEWHERE,)), (10, PENDING, (ELSEWHERE,))], [(10, UNATTENDED)], id="other"),
        pytest.param([(0, PENDING, (LISTENS,)), (60, PENDING, (LISTENS,))], [], id="busy worker"),
        pytest.param(
            [(0, PENDING, (LISTENS,)), (60, PENDING, ()), (61, PENDING, (LISTENS,)), (70, PENDING, (LISTENS,))],
            [],
            id="a worker that is restarted",
        ),
        pytest.param(
            [(0, PENDING, ()), (10, PENDING, ()), (11, PENDING, (LISTENS,)), (20, PENDING, ()), (30, PENDING, ())],
            [(10, UNATTENDED), (30, UNATTENDED)],
            id="again after it was attended",
        ),
        pytest.param(
            [(0, PENDING, ()), (9, replace(PENDING, status_changed=NOON + minutes(8)), ()), (12, PENDING, ())],
            [],
            id="enqueued anew",
        ),
        pytest.param([(0, NOWHERE, ()), (60, NOWHERE, ())], [], id="nobody knows where"),
    ],
)
def test_what_waits(steps: list[Step], expected: list[tuple[float, AlarmKind]]) -> None:
    assert told(*steps) == expected


def reporting(minute: float, **signs: int) -> RunSigns:
    return replace(RUNNING, worker_reported=NOON + minutes(minute), **signs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, reporting(0), ()), (29, reporting(29), ())], [], id="not long yet"),
        pytest.param(
            [(0, reporting(0), ()), (30, reporting(30), ()), (90, reporting(90), ())], [(30, SILENT)], id="once"
        ),
        pytest.param([(0, reporting(0), ()), (30, reporting(30, last_log=2000), ())], [], id="it logs"),
        pytest.param([(0, reporting(0), ()), (30, reporting(30, last_iteration=1), ())], [], id="it goes on"),
        pytest.param([(0, reporting(0), ()), (30, reporting(30, gpu_busy=5), ())], [], id="it uses a card"),
        pytest.param(
            [
                (0, reporting(0), ()),
                (30, reporting(30), ()),
                (31, reporting(31, last_log=2000), ()),
                (61, reporting(61, last_log=2000), ()),
            ],
            [(30, SILENT), (61, SILENT)],
            id="again after it has logged",
        ),
        pytest.param(
            [(0, reporting(0, last_log=10**15), ()), (30, reporting(30, last_log=10**15 + 1), ())],
            [],
            id="a machine whose clock goes wrong",
        ),
    ],
)
def test_what_runs_in_silence(steps: list[Step], expected: list[tuple[float, AlarmKind]]) -> None:
    assert told(*steps) == expected


FRESH = replace(RUNNING, worker_reported=None)
HAS_IT = Worker("w1", (), experiment_id="e1", last_seen=NOON - minutes(1))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(0, RUNNING, ()), (9.9, RUNNING, ())], [], id="not long yet"),
        pytest.param([(0, RUNNING, ()), (10, RUNNING, ()), (29, RUNNING, ())], [(10, LOST)], id="once"),
        pytest.param([(0, RUNNING, ()), (10, RUNNING, ()), (45, RUNNING, ())], [(10, LOST)], id="one for both"),
        pytest.param([(0, FRESH, (HAS_IT,)), (10, FRESH, (HAS_IT,))], [(10, LOST)], id="a fresh run"),
        pytest.param([(0, FRESH, (HAS_IT,)), (9, RUNNING, ()), (18, RUNNING, ())], [], id="it begins to report"),
        pytest.param([(0, RUNNING, ()), (10, RUNNING, (LISTENS,))], [(10, LOST)], id="its worker began anew"),
        pytest.param([(0, RUNNING, ()), (9, reporting(9), ()), (18, reporting(9), ())], [], id="it reported"),
        pytest.param(
            [(0, FRESH, ()), (29, FRESH, ())],
            [],
            id="a run without an agent",
        ),
    ],
)
def test_whose_worker_is_lost(steps: list[Step], expected: list[tuple[float, AlarmKind]]) -> None:
    assert told(*steps) == expected


@pytest.mark.parametrize("status", [Status.DRAFT, Status.COMPLETED, Status.FAILED, Status.ABORTED, Status.UNKNOWN])
def test_what_neither_waits_nor_runs_gives_no_alarm(status: Status) -> None:
    assert told((0, replace(RUNNING, status=status), ()), (600, replace(RUNNING, status=status), ())) == []


@pytest.mark.parametrize("kind", list(AlarmKind))
def test_a_span_of_zero_turns_its_alarm_off(kind: AlarmKind) -> None:
    spans = replace(SPANS, **{kind.value: timedelta(0)})
    for run in (PENDING, RUNNING):
        assert kind not in {item for _, item in told((0, run, ()), (600, run, ()), spans=spans)}


def test_a_silent_run_is_told_of_where_lost_workers_are_not() -> None:
    spans = replace(SPANS, worker_lost=timedelta(0))
    assert told((0, RUNNING, ()), (30, RUNNING, ()), spans=spans) == [(30, SILENT)]


@pytest.mark.parametrize(
    ("since", "last_look", "counted"),
    [
        pytest.param(0, 5, 5, id="what was seen before ClearML went down counts"),
        pytest.param(0, None, 8, id="of another process nobody knows how long it looked"),
        pytest.param(58, None, 2, id="what stands for a short time only"),
    ],
)
def test_time_in_which_nobody_looked_does_not_count(since: float, last_look: float | None, counted: float) -> None:
    now = NOON + minutes(60)
    known = {("e1", LOST): Standstill("e1", LOST, "x", NOON + minutes(since))}
    looked = NOON + minutes(last_look) if last_look is not None else None
    after = after_blindness(known, last_look=looked, spans=SPANS, now=now)
    assert now - after["e1", LOST].since == minutes(counted)


def test_what_was_told_stays_told_after_a_time_in_which_nobody_looked() -> None:
    known = {("e1", LOST): Standstill("e1", LOST, "x", NOON, told=True)}
    assert after_blindness(known, last_look=None, spans=SPANS, now=NOON + minutes(60)) == known
