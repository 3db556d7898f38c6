"""Questions about cards that wait for an answer, or for what was answered to come true."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clearml_chatops.models.card_questions import CardQuestion, CardRequest, Consent
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.workers import MidRun, WorkerOrder
from clearml_chatops.storage.schema import CardQuestionRow, PersonRow


class CardQuestionStore:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, question: CardQuestion) -> None:
        request = question.request
        self._session.add(
            CardQuestionRow(
                token=question.token,
                group_token=question.group,
                host=question.host,
                asker_id=request.asker_id,
                platform=request.conversation.platform,
                conversation_id=request.conversation.id,
                thread=request.conversation.thread,
                cards=request.cards,
                line=request.line,
                request=_from_request(request),
                asked_id=question.asked_id,
                worker_ids=list(question.worker_ids),
                noted=question.noted,
                expires=question.expires,
                answer=question.answer.value if question.answer else "",
                begun=question.begun,
            )
        )

    async def list(self, *, host: str) -> list[CardQuestion]:
        """All of a host, the oldest first; those of one request one after the other."""
        asked, asker = aliased(PersonRow), aliased(PersonRow)
        found = await self._session.execute(
            select(CardQuestionRow, asker.name, asked.name)
            .join(asker, CardQuestionRow.asker_id == asker.id)
            .join(asked, CardQuestionRow.asked_id == asked.id)
            .where(CardQuestionRow.host == host)
            .order_by(CardQuestionRow.noted, CardQuestionRow.group_token, CardQuestionRow.token)
        )
        return [_to_question(*row.tuple()) for row in found]

    async def answer(self, token: str, answer: Consent) -> None:
        (await self._session.get_one(CardQuestionRow, token)).answer = answer.value

    async def begin(self, group: str, begun: datetime | None) -> None:
        """Notes since when a request is being carried out; None where it is not, after all."""
        await self._session.execute(
            update(CardQuestionRow).where(CardQuestionRow.group_token == group).values(begun=begun)
        )

    async def remove(self, group: str) -> bool:
        """Removes the questions of a request; False where there are none any more."""
        gone = await self._session.scalars(
            delete(CardQuestionRow).where(CardQuestionRow.group_token == group).returning(CardQuestionRow.token)
        )
        return bool(gone.all())


def _to_question(row: CardQuestionRow, asker_name: str, asked_name: str) -> CardQuestion:
    return CardQuestion(
        token=row.token,
        group=row.group_token,
        host=row.host,
        request=CardRequest(
            asker_id=row.asker_id,
            asker_name=asker_name,
            conversation=Conversation(row.platform, row.conversation_id, row.thread),
            cards=row.cards,
            line=row.line,
            order=_to_order(row.request["order"]),
            restarts=row.request["restarts"],
            mid_run=MidRun(row.request["mid_run"]) if row.request["mid_run"] else None,
        ),
        asked_id=row.asked_id,
        asked_name=asked_name,
        worker_ids=tuple(row.worker_ids),
        noted=row.noted,
        expires=row.expires,
        answer=Consent(row.answer) if row.answer else None,
        begun=row.begun,
    )


def _from_request(request: CardRequest) -> dict[str, Any]:
    mid_run = request.mid_run.value if request.mid_run else ""
    return {"order": asdict(request.order), "restarts": request.restarts, "mid_run": mid_run}


def _to_order(kept: dict[str, Any]) -> WorkerOrder:
    """JSON knows no tuples."""
    lists = {name: tuple(kept[name]) for name in ("queue_names", "consents")}
    return WorkerOrder(**{**kept, **lists})
