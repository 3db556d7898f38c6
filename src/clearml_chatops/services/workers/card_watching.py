"""Tells people when a card is free: the driver tells nobody, so it is asked, as long as somebody waits."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import CardNotWatchedError, InvalidValueError, NoGpuDriverError
from clearml_chatops.models.gpus import CardWatch, Gpu
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.services.bells import Bell
from clearml_chatops.services.workers.chosen_gpus import chosen_gpus
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.storage.card_watches import CardWatchStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.outbox import OutboxStore

_GIBIBYTE = 2**30


class CardWatching:
    """The watched cards of this host."""

    def __init__(
        self, *, reader: GpuReader, database: Database, host: str, clock: Callable[[], datetime], news: Bell
    ) -> None:
        self._reader = reader
        self._database = database
        self._host = host
        self._clock = clock
        self._news = news

    async def watch(
        self,
        card: str,
        conversation: Conversation,
        *,
        memory: int | None,
        lasting: timedelta,
        person_id: int,
    ) -> CardWatch:
        """Tells a conversation when a card is free; a second watch of it takes the place of the first.

        Raises:
            NoGpuDriverError, InvalidValueError: there is no such card, or it never has so much memory.
        """
        gpus = await self._reader.gpus()
        chosen = chosen_gpus(card, gpus)
        if len(chosen) != 1:
            raise InvalidValueError(
                value=card, expected="one card", name="card", advice="write its index, like 1."
            )
        total = _memory(chosen[0], gpus)[1]
        if memory is not None and total is not None and memory > total:
            advice = f"the card has {total / _GIBIBYTE:.0f}G."
            given = f"{memory / _GIBIBYTE:g}G"
            raise InvalidValueError(value=given, expected="memory that the card has", name="mem", advice=advice)
        watch = CardWatch(self._host, chosen[0], conversation, lasting, memory, person_id=person_id)
        async with self._database.writing() as session:
            await CardWatchStore(session).put(watch)
        return watch

    async def watched(self, conversation: Conversation) -> list[CardWatch]:
        """What a conversation waits for, by card."""
        async with self._database.reading() as session:
            watches = await CardWatchStore(session).list(host=self._host)
        found = [watch for watch in watches if watch.conversation == conversation]
        return sorted(found, key=lambda watch: (not watch.card.isdigit(), len(watch.card), watch.card))

    async def unwatch(self, card: str, conversation: Conversation) -> list[CardWatch]:
        """Tells a conversation no more of a card, or of any where none is named; gives the watches that ended.

        Raises:
            CardNotWatchedError: it waits for no such card.
        """
        names = {card}
        # A card may have been lost since; then what was written is all there is to compare.
        with contextlib.suppress(NoGpuDriverError, InvalidValueError):
            names.update(chosen_gpus(card, await self._reader.gpus()) if card else ())
        watched = await self.watched(conversation)
        ended = [watch for watch in watched if not card or watch.card in names]
        if not ended:
            others = [Button("What is watched here", "/gpus watch")] if watched else []
            raise CardNotWatchedError(what=f"no card {card}" if card else "no card", offers=others)
        async with self._database.writing() as session:
            for watch in ended:
                await CardWatchStore(session).remove(watch)
        return ended

    async def look(self) -> int:
        """One look at all watched cards; how many were told of as free. Raises NoGpuDriverError."""
        async with self._database.reading() as session:
            watches = await CardWatchStore(session).list(host=self._host)
        if not watches:
            return 0
        gpus = await self._reader.gpus()
        now = self._clock()
        told = 0
        for watch in watches:
            since = (watch.free_since or now) if _is_free(watch, gpus) else None
            if since is not None and now - since >= watch.lasting:
                await self._tell(watch, gpus, now)
                told += 1
            elif since != watch.free_since:
                async with self._database.writing() as session:
                    await CardWatchStore(session).put(replace(watch, free_since=since))
        return told

    async def _tell(self, watch: CardWatch, gpus: Sequence[Gpu], now: datetime) -> None:
        used, total = _memory(watch.card, gpus)
        free = f", with {(total - used) / _GIBIBYTE:.0f} GiB" if used is not None and total is not None else ""
        share = " --share" if watch.memory is not None else ""
        start = Button("Start my worker there", f'/worker start gpus="{watch.card}"{share}')
        notice = Notice(
            f"card:{self._host}:{watch.card}",
            f"Card {watch.card} of {self._host} is free{free}.",
            now,
            offers=(start, Button("All cards", "/gpus")),
            person_id=watch.person_id,
        )
        async with self._database.writing() as session:
            await OutboxStore(session).add([(notice, watch.conversation)], now=now)
            await CardWatchStore(session).remove(watch)
        self._news.ring()


def _is_free(watch: CardWatch, gpus: Sequence[Gpu]) -> bool:
    """Whether nobody is on it, or as much memory is free as is asked for; of a lost card neither."""
    if watch.memory is not None:
        used, total = _memory(watch.card, gpus)
        return used is not None and total is not None and total - used >= watch.memory
    for gpu in gpus:
        if str(gpu.index) == watch.card:
            return not gpu.lost and not gpu.all_processes
        for part in gpu.instances:
            if part.uuid == watch.card:
                return not part.processes
    return False


def _memory(card: str, gpus: Sequence[Gpu]) -> tuple[int | None, int | None]:
    """Used and whole memory of a card, or of an instance of one."""
    for gpu in gpus:
        if str(gpu.index) == card:
            return gpu.memory_used, gpu.memory_total
        for part in gpu.instances:
            if part.uuid == card:
                return part.memory_used, part.memory_total
    return None, None
