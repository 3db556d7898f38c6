"""Our own record of the agents that this bot started."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clearml_chatops.models.queues import StartedWorker
from clearml_chatops.storage.schema import StartedWorkerRow


class StartedWorkerStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list(self, *, host: str) -> list[StartedWorker]:
        rows = await self._session.scalars(
            select(StartedWorkerRow).where(StartedWorkerRow.host == host).order_by(StartedWorkerRow.id)
        )
        return [_to_worker(row) for row in rows]

    async def put(self, worker: StartedWorker) -> None:
        await self._session.merge(
            StartedWorkerRow(
                id=worker.id,
                host=worker.host,
                queue_id=worker.queue_id,
                queue_name=worker.queue_name,
                gpus=worker.gpus,
                image=worker.image,
                person_id=worker.person_id,
                process_id=worker.process_id,
                process_started=worker.process_started,
                started=worker.started,
            )
        )

    async def remove(self, worker_id: str) -> None:
        if row := await self._session.get(StartedWorkerRow, worker_id):
            await self._session.delete(row)


def _to_worker(row: StartedWorkerRow) -> StartedWorker:
    return StartedWorker(
        id=row.id,
        host=row.host,
        queue_id=row.queue_id,
        queue_name=row.queue_name,
        gpus=row.gpus,
        image=row.image,
        person_id=row.person_id,
        process_id=row.process_id,
        process_started=row.process_started,
        started=row.started,
    )
