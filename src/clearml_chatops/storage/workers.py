"""The workers that should run on a host, and the bot's own record of the agents that it started."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.people import QueueBinding
from clearml_chatops.models.workers import DesiredWorker, StartedWorker, WorkerPlan
from clearml_chatops.storage.schema import DesiredWorkerRow, PersonRow, StartedWorkerRow


class DesiredWorkerStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, *, host: str) -> list[DesiredWorker]:
        """Return the desired workers of a host, with the names of the people who started them."""
        rows = await self._session.execute(
            select(DesiredWorkerRow, PersonRow.name)
            .join(PersonRow, DesiredWorkerRow.person_id == PersonRow.id)
            .where(DesiredWorkerRow.host == host)
            .order_by(DesiredWorkerRow.id)
        )
        return [_to_desired(row, person_name) for row, person_name in rows]

    async def put(self, worker: DesiredWorker) -> None:
        await self._session.merge(
            DesiredWorkerRow(
                id=worker.id,
                host=worker.host,
                plan=_from_plan(worker.plan),
                person_id=worker.person_id,
                platform=worker.conversation.platform,
                conversation_id=worker.conversation.id,
                thread=worker.conversation.thread,
                created=worker.created,
                draining=worker.draining,
                paused_queue_ids=list(worker.paused_queue_ids),
                paused_since=worker.paused_since,
                successor=_from_plan(worker.successor) if worker.successor else {},
                failures=worker.failures,
                next_attempt=worker.next_attempt,
            )
        )

    async def remove(self, worker_id: str) -> None:
        if row := await self._session.get(DesiredWorkerRow, worker_id):
            await self._session.delete(row)


class StartedWorkerStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, *, host: str) -> list[StartedWorker]:
        rows = await self._session.scalars(
            select(StartedWorkerRow).where(StartedWorkerRow.host == host).order_by(StartedWorkerRow.id)
        )
        return [_to_started(row) for row in rows]

    async def put(self, worker: StartedWorker) -> None:
        await self._session.merge(
            StartedWorkerRow(
                id=worker.id,
                host=worker.host,
                process_id=worker.process_id,
                process_started=worker.process_started,
                started=worker.started,
            )
        )

    async def remove(self, worker_id: str) -> None:
        if row := await self._session.get(StartedWorkerRow, worker_id):
            await self._session.delete(row)


def _to_desired(row: DesiredWorkerRow, person_name: str) -> DesiredWorker:
    return DesiredWorker(
        id=row.id,
        host=row.host,
        plan=_to_plan(row.plan),
        person_id=row.person_id,
        conversation=Conversation(row.platform, row.conversation_id, row.thread),
        created=row.created,
        person_name=person_name,
        draining=row.draining,
        paused_queue_ids=tuple(row.paused_queue_ids),
        paused_since=row.paused_since,
        successor=_to_plan(row.successor) if row.successor else None,
        failures=row.failures,
        next_attempt=row.next_attempt,
    )


def _to_started(row: StartedWorkerRow) -> StartedWorker:
    return StartedWorker(row.id, row.host, row.process_id, row.process_started, row.started)


def _from_plan(plan: WorkerPlan) -> dict[str, Any]:
    return {
        "queues": [[queue.queue_id, queue.queue_name] for queue in plan.queues],
        "gpus": plan.gpus,
        "image": plan.image,
        "services_mode": plan.services_mode,
        "name": plan.name,
        "docker": plan.docker,
    }


def _to_plan(plan: dict[str, Any]) -> WorkerPlan:
    return WorkerPlan(
        queues=tuple(QueueBinding(*queue) for queue in plan["queues"]),
        gpus=plan["gpus"],
        image=plan["image"],
        services_mode=plan["services_mode"],
        name=plan["name"],
        docker=plan.get("docker", False),
    )
