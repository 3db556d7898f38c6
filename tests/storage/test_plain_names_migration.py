"""A database filled by the version before the plain names keeps every row, and is read as it was meant."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, select

from clearml_chatops.models.notifications import EventKind, ExperimentEvent, Notice
from clearml_chatops.storage.audit import AuditStore
from clearml_chatops.storage.database import Database, build_migration_config
from clearml_chatops.storage.gpu_requests import GpuRequestStore
from clearml_chatops.storage.outbox import _to_notification
from clearml_chatops.storage.schema import OutboxRow, Table
from clearml_chatops.storage.subscriptions import SubscriptionStore
from clearml_chatops.storage.workers import DesiredWorkerStore

_DUMP = Path(__file__).parent / "revision_0011.sql"
"""Made by the program at revision 0011: its stores, services and dispatcher filled each table."""

_NEW_TABLE_NAMES = {
    "acts": "own_actions",
    "unwatched": "experiment_opt_outs",
    "own_experiments_off": "own_experiments_opt_outs",
    "standstills": "stalls",
    "own_places": "direct_messages",
    "wanted_workers": "desired_workers",
    "card_watches": "gpu_watches",
    "card_questions": "gpu_requests",
}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(_DUMP.read_text(encoding="utf-8"))
    return path


def _read_rows(path: Path) -> Rows:
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            if name != "alembic_version"
        ]
        return {name: [_to_values(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}


def _to_values(row: sqlite3.Row) -> dict[str, Any]:
    """Return the row's values; JSON is decoded, since its white space and the order of its keys mean nothing."""
    return {key: json.loads(row[key]) if _is_json(row[key]) else row[key] for key in row.keys()}  # noqa: SIM118


def _is_json(value: object) -> bool:
    return isinstance(value, str) and value[:1] in {"{", "["}


def _migrate(path: Path, target: str) -> None:
    with create_engine(f"sqlite:///{path}").begin() as connection:
        move = command.downgrade if target == "0011" else command.upgrade
        move(build_migration_config(connection), target)


def test_every_row_is_kept(path: Path) -> None:
    before = _read_rows(path)
    _migrate(path, "head")
    after = _read_rows(path)
    # Tables that a later migration adds are empty.
    assert {_NEW_TABLE_NAMES.get(name, name): len(rows) for name, rows in before.items()} == {
        name: len(rows) for name, rows in after.items() if rows
    }
    assert all(before.values())
    assert set(after) == set(Table.metadata.tables)


def test_a_downgrade_restores_every_value(path: Path) -> None:
    before = _read_rows(path)
    _migrate(path, "head")
    _migrate(path, "0011")
    assert _read_rows(path) == before


async def test_migrated_rows_are_read_with_their_meaning(path: Path) -> None:
    before = _read_rows(path)
    database = Database(f"sqlite:///{path}")
    await database.upgrade()
    async with database.reading() as session:
        notifications = [_to_notification(row) for row in await session.scalars(select(OutboxRow))]
        gpu_requests = await GpuRequestStore(session).list(host="lab")
        workers = await DesiredWorkerStore(session).list(host="lab")
        subscriptions = await SubscriptionStore(session).list_all()
        entries = await AuditStore(session).list_newest(100)
    await database.aclose()
    for row, notification in zip(before["outbox"], notifications, strict=True):
        details, event = row["details"], notification.event
        if isinstance(event, Notice):
            assert (event.text, event.is_warning) == (details["text"], details["is_trouble"])
            assert [[button.label, button.command] for button in event.buttons] == details["offers"]
            assert event.experiment_id == details.get("experiment", "")
        else:
            assert event.kind == ("started" if row["kind"] == "left_pending" else row["kind"])
            assert (event.experiment_name, event.worker_id) == (details["name"], details["worker"])
            assert event.actor_name == details.get("by_name", "")
    assert {type(notification.event) for notification in notifications} == {ExperimentEvent, Notice}
    old_requests = {row["token"]: row for row in before["card_questions"]}
    assert {request.token for request in gpu_requests} == set(old_requests)
    for request in gpu_requests:
        row = old_requests[request.token]
        assert (request.owner_id, request.details.requester_id) == (row["asked_id"], row["asker_id"])
        assert request.details.command == row["line"]
        assert list(request.details.worker_spec.accepted_worker_ids) == row["request"]["order"]["consents"]
        assert (request.details.running_policy or "") == row["request"]["mid_run"]
        assert (request.answer or "") == row["answer"]
    old_workers = {row["id"]: row for row in before["wanted_workers"]}
    for worker in workers:
        row = old_workers[worker.id]
        assert (worker.plan.services_mode, list(worker.paused_queue_ids)) == (
            row["plan"]["services"],
            row["held_queues"],
        )
        assert bool(worker.successor) == bool(row["successor"])
    assert len(workers) == len(old_workers)
    assert [len(subscription.event_kinds) for subscription in subscriptions] == [
        len(row["told"]) for row in before["subscriptions"]
    ]
    assert any(EventKind.STARTED in subscription.event_kinds for subscription in subscriptions)
    old_codes = {row["error_code"] for row in before["audit"]}
    assert {"stranger", "not_yours"} <= old_codes
    codes = {entry.error_code for entry in entries}
    assert {"unknown_user", "experiment_not_yours"} <= codes
    assert not {"stranger", "not_yours"} & codes
