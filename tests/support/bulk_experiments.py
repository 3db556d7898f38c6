"""Thousands of watched experiments."""

from collections.abc import Iterable
from datetime import datetime

from clearml_chatops.models.messages import Conversation
from clearml_chatops.sandbox.documents import Document, truncate_to_milliseconds
from clearml_chatops.sandbox.state import State
from clearml_chatops.services.clearml_gateway.serialization import parse_experiment
from clearml_chatops.services.watching.tracking import to_state
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.schema import WatchRow
from clearml_chatops.storage.watcher import WatcherStore

PROJECT = "many"


def add_pending(state: State, count: int, *, user: str) -> list[Document]:
    """Add Pending experiments in one project, all enqueued at the same time."""
    now = truncate_to_milliseconds(state.now())
    project = state.find_project(PROJECT) or state.add_project(PROJECT, user=user)
    return [
        state.add_task(
            f"run {number:05}",
            user=user,
            project=project["id"],
            execution={"queue": "many"},
            status="queued",
            status_changed=now,
        )
        for number in range(count)
    ]


def fail_all(tasks: Iterable[Document], at: datetime) -> None:
    """Let all experiments run and fail at the same time."""
    for task in tasks:
        task.update(
            status="failed",
            status_changed=truncate_to_milliseconds(at),
            started=truncate_to_milliseconds(at),
            completed=truncate_to_milliseconds(at),
            last_worker="lab:q:gpu0",
        )


async def watch_all(
    database: Database, tasks: Iterable[Document], recipient: Conversation, person_id: int
) -> None:
    """Watch the experiments for the recipient, starting from their current status."""
    found = [parse_experiment(_to_response(task)) for task in tasks]
    async with database.writing() as session:
        await WatcherStore(session).put_states(to_state(item) for item in found)
        session.add_all(
            WatchRow(
                experiment_id=item.id,
                platform=recipient.platform,
                conversation_id=recipient.id,
                thread=recipient.thread,
                person_id=person_id,
            )
            for item in found
        )


def _to_response(task: Document) -> Document:
    return {
        "id": task["id"],
        "name": task["name"],
        "status": task["status"],
        "status_changed": task["status_changed"].isoformat(),
    }
