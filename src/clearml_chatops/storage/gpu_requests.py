"""GPU requests that wait for an answer or for their handover."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clearml_chatops.models.gpu_requests import GpuRequest, GpuRequestAnswer, GpuRequestDetails
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.workers import RunningPolicy, WorkerSpec
from clearml_chatops.storage.schema import GpuRequestRow, PersonRow


class GpuRequestStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, gpu_request: GpuRequest) -> None:
        details = gpu_request.details
        self._session.add(
            GpuRequestRow(
                token=gpu_request.token,
                group_token=gpu_request.group_token,
                host=gpu_request.host,
                requester_id=details.requester_id,
                platform=details.conversation.platform,
                conversation_id=details.conversation.id,
                thread=details.conversation.thread,
                gpu_label=details.gpu_label,
                command=details.command,
                details=_from_details(details),
                owner_id=gpu_request.owner_id,
                worker_ids=list(gpu_request.worker_ids),
                created=gpu_request.created,
                expires=gpu_request.expires,
                answer=gpu_request.answer.value if gpu_request.answer else "",
                handover_started=gpu_request.handover_started,
            )
        )

    async def list(self, *, host: str) -> list[GpuRequest]:
        """Return all requests of a host, oldest first; those of one group are consecutive."""
        owner, requester = aliased(PersonRow), aliased(PersonRow)
        found = await self._session.execute(
            select(GpuRequestRow, requester.name, owner.name)
            .join(requester, GpuRequestRow.requester_id == requester.id)
            .join(owner, GpuRequestRow.owner_id == owner.id)
            .where(GpuRequestRow.host == host)
            .order_by(GpuRequestRow.created, GpuRequestRow.group_token, GpuRequestRow.token)
        )
        return [_to_gpu_request(*row.tuple()) for row in found]

    async def set_answer(self, token: str, answer: GpuRequestAnswer) -> None:
        (await self._session.get_one(GpuRequestRow, token)).answer = answer.value

    async def set_handover_started(self, group_token: str, started: datetime | None) -> None:
        """Store when the handover of a group started; None if it is not in progress."""
        await self._session.execute(
            update(GpuRequestRow).where(GpuRequestRow.group_token == group_token).values(handover_started=started)
        )

    async def remove(self, group_token: str) -> bool:
        """Remove the requests of a group. Return False if there are none any more."""
        removed = await self._session.scalars(
            delete(GpuRequestRow).where(GpuRequestRow.group_token == group_token).returning(GpuRequestRow.token)
        )
        return bool(removed.all())


def _to_gpu_request(row: GpuRequestRow, requester_name: str, owner_name: str) -> GpuRequest:
    return GpuRequest(
        token=row.token,
        group_token=row.group_token,
        host=row.host,
        details=GpuRequestDetails(
            requester_id=row.requester_id,
            requester_name=requester_name,
            conversation=Conversation(row.platform, row.conversation_id, row.thread),
            gpu_label=row.gpu_label,
            command=row.command,
            worker_spec=_to_worker_spec(row.details["worker_spec"]),
            worker_id_to_restart=row.details["worker_id_to_restart"],
            running_policy=RunningPolicy(row.details["running_policy"]) if row.details["running_policy"] else None,
        ),
        owner_id=row.owner_id,
        owner_name=owner_name,
        worker_ids=tuple(row.worker_ids),
        created=row.created,
        expires=row.expires,
        answer=GpuRequestAnswer(row.answer) if row.answer else None,
        handover_started=row.handover_started,
    )


def _from_details(details: GpuRequestDetails) -> dict[str, Any]:
    spec = asdict(details.worker_spec)
    policy = details.running_policy.value if details.running_policy else ""
    return {"worker_spec": spec, "worker_id_to_restart": details.worker_id_to_restart, "running_policy": policy}


def _to_worker_spec(stored: dict[str, Any]) -> WorkerSpec:
    """Return the spec; JSON stores its tuples as lists."""
    lists = {name: tuple(stored[name]) for name in ("queue_names", "accepted_worker_ids")}
    return WorkerSpec(**{**stored, **lists})
