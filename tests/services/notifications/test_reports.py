"""Reports: experiments by status, and usage by person."""

from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.reports import MachineUsage
from clearml_chatops.services.notifications.reports import build_report

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def _build_run(
    name: str, status: Status, *, began: float | None = None, ended: float | None = None, **more: str
) -> Experiment:
    """Return a run; `began` and `ended` are in hours ago."""
    started = NOW - timedelta(hours=began) if began is not None else None
    completed = NOW - timedelta(hours=ended) if ended is not None else None
    return Experiment(
        name,
        name,
        status,
        completed or started or NOW,
        started=started,
        completed=completed,
        **more,  # type: ignore[arg-type]
    )


def test_report_groups_experiments_by_status() -> None:
    report = build_report(
        [
            _build_run("old", Status.COMPLETED, began=30, ended=25),
            _build_run("good", Status.COMPLETED, began=30, ended=20),
            _build_run("bad", Status.FAILED, began=2, ended=1),
            _build_run("running", Status.RUNNING, began=40),
            _build_run("waiting", Status.PENDING),
            _build_run("draft", Status.DRAFT),
        ],
        since=NOW - DAY,
        now=NOW,
        creator_names={},
    )
    assert [item.id for item in report.finished] == ["bad", "good"]
    assert [item.id for item in report.running] == ["running"]
    assert [item.id for item in report.waiting] == ["waiting"]
    assert not report.is_empty
    assert build_report([], since=NOW - DAY, now=NOW, creator_names={}).is_empty


def test_usage_counts_time_within_the_period_and_gpus() -> None:
    report = build_report(
        [
            _build_run("a", Status.COMPLETED, began=30, ended=20, user_name="Alice", worker_id="lab:q:gpu0,1"),
            _build_run("b", Status.RUNNING, began=2, user_name="Alice", worker_id="lab:q:gpu2"),
            _build_run("c", Status.FAILED, began=3, ended=1, user_name="bot", worker_id="lab:q:cpu"),
            _build_run("d", Status.ABORTED, began=30, ended=26, user_name="Carol", worker_id="lab:q:gpu0"),
            _build_run("e", Status.PENDING, began=9, user_name="Carol", worker_id="lab:q:gpu0"),
            _build_run("f", Status.RUNNING, began=1, user_name="Dora", worker_id="lab:q:gpuall"),
        ],
        since=NOW - DAY,
        now=NOW,
        creator_names={"c": "Bob"},
    )
    assert report.usages == (
        MachineUsage("Alice", timedelta(hours=6), timedelta(hours=10)),
        MachineUsage("Dora", timedelta(hours=1), timedelta(hours=1)),
        MachineUsage("Bob", timedelta(hours=2), timedelta(0)),
    )
