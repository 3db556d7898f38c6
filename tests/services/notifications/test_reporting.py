"""What a report says of experiments and of who used how much."""

from datetime import UTC, datetime, timedelta

from clearml_chatops.models.experiments import Experiment, Status
from clearml_chatops.models.reports import UseOfMachines
from clearml_chatops.services.notifications.reporting import report_of

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def _run(
    name: str, status: Status, *, began: float | None = None, ended: float | None = None, **more: str
) -> Experiment:
    """A run that began and ended so many hours ago."""
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


def test_what_ended_before_is_left_out_and_the_rest_is_told_by_how_it_is() -> None:
    report = report_of(
        [
            _run("old", Status.COMPLETED, began=30, ended=25),
            _run("good", Status.COMPLETED, began=30, ended=20),
            _run("bad", Status.FAILED, began=2, ended=1),
            _run("running", Status.RUNNING, began=40),
            _run("waiting", Status.PENDING),
            _run("draft", Status.DRAFT),
        ],
        since=NOW - DAY,
        now=NOW,
        makers={},
    )
    assert [item.id for item in report.ended] == ["bad", "good"]
    assert [item.id for item in report.running] == ["running"]
    assert [item.id for item in report.waiting] == ["waiting"]
    assert not report.is_empty
    assert report_of([], since=NOW - DAY, now=NOW, makers={}).is_empty


def test_who_used_how_much_counts_within_the_time_alone_and_by_cards() -> None:
    report = report_of(
        [
            _run("a", Status.COMPLETED, began=30, ended=20, user_name="Alice", worker_id="lab:q:gpu0,1"),
            _run("b", Status.RUNNING, began=2, user_name="Alice", worker_id="lab:q:gpu2"),
            _run("c", Status.FAILED, began=3, ended=1, user_name="bot", worker_id="lab:q:cpu"),
            _run("d", Status.ABORTED, began=30, ended=26, user_name="Carol", worker_id="lab:q:gpu0"),
            _run("e", Status.PENDING, began=9, user_name="Carol", worker_id="lab:q:gpu0"),
            _run("f", Status.RUNNING, began=1, user_name="Dora", worker_id="lab:q:gpuall"),
        ],
        since=NOW - DAY,
        now=NOW,
        makers={"c": "Bob"},
    )
    assert report.use == (
        UseOfMachines("Alice", timedelta(hours=6), timedelta(hours=10)),
        UseOfMachines("Dora", timedelta(hours=1), timedelta(hours=1)),
        UseOfMachines("Bob", timedelta(hours=2), timedelta(0)),
    )
