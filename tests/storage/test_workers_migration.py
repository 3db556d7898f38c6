"""The migration that turns started workers into desired ones and keeps their processes."""

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, text

from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import StartedWorker, WorkerPlan
from clearml_chatops.storage.database import Database, build_migration_config
from clearml_chatops.storage.workers import DesiredWorkerStore, StartedWorkerStore

_NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


async def test_started_workers_become_desired_workers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    with create_engine(url).begin() as connection:
        command.upgrade(build_migration_config(connection), "0003")
        connection.execute(
            text(
                "INSERT INTO people (id, name, role, clearml_user_id, from_settings) VALUES (1, 'Alice', 3, '', 0)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO started_workers (id, host, queue_id, queue_name, gpus, image, person_id, process_id,"
                " process_started, started) VALUES ('lab:q:gpu0', 'lab', 'q1', 'q', '0', 'python:3.12', 1, 4711,"
                " '2026-07-01 12:00:00.000000', '2026-07-01 12:00:00.000000')"
            )
        )
    database = Database(url)
    await database.upgrade()
    async with database.reading() as session:
        (desired,) = await DesiredWorkerStore(session).list(host="lab")
        (started,) = await StartedWorkerStore(session).list(host="lab")
    await database.aclose()
    assert (desired.id, desired.person_name, desired.created) == ("lab:q:gpu0", "Alice", _NOON)
    assert desired.plan == WorkerPlan((QueueBinding("q1", "q"),), "0", "python:3.12")
    assert not desired.draining
    assert desired.successor is None
    assert started == StartedWorker("lab:q:gpu0", "lab", 4711, _NOON, _NOON)
