"""GPU watches: notices about free GPUs. The driver sends no events, so it is polled while a watch exists."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from clearml_chatops.models.errors import GpuNotWatchedError, InvalidValueError, NoGpuDriverError
from clearml_chatops.models.gpus import Gpu, GpuWatch
from clearml_chatops.models.messages import Conversation
from clearml_chatops.models.notifications import Notice
from clearml_chatops.models.replies import Button
from clearml_chatops.services.wakeups import Wakeup
from clearml_chatops.services.workers.gpu_reader import GpuReader
from clearml_chatops.services.workers.gpu_selection import select_gpus
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.gpu_watches import GpuWatchStore
from clearml_chatops.storage.outbox import OutboxStore

_GIBIBYTE = 2**30


class GpuWatches:
    """The GPU watches of this host."""

    def __init__(
        self,
        *,
        reader: GpuReader,
        database: Database,
        host: str,
        clock: Callable[[], datetime],
        outbox_wakeup: Wakeup,
    ) -> None:
        self._reader = reader
        self._database = database
        self._host = host
        self._clock = clock
        self._outbox_wakeup = outbox_wakeup

    async def watch(
        self,
        gpu: str,
        conversation: Conversation,
        *,
        memory: int | None,
        minimum_duration: timedelta,
        person_id: int,
    ) -> GpuWatch:
        """Notify a conversation when a GPU is free. A second watch of the same GPU replaces the first.

        `memory` is in bytes; without it, a GPU is free when no process uses it.

        Raises:
            NoGpuDriverError: the GPUs can't be read.
            InvalidValueError: no such GPU, or it has less memory in total.
        """
        gpus = await self._reader.read_gpus()
        selected = select_gpus(gpu, gpus)
        if len(selected) != 1:
            raise InvalidValueError(value=gpu, expected="one GPU", name="gpu", advice="use its index, like 1.")
        total_memory = _find_memory(selected[0], gpus)[1]
        if memory is not None and total_memory is not None and memory > total_memory:
            advice = f"the GPU has {total_memory / _GIBIBYTE:.0f}G. Use less."
            requested_memory = f"{memory / _GIBIBYTE:g}G"
            raise InvalidValueError(
                value=requested_memory, expected="within the GPU's memory", name="mem", advice=advice
            )
        watch = GpuWatch(self._host, selected[0], conversation, minimum_duration, memory, person_id=person_id)
        async with self._database.writing() as session:
            await GpuWatchStore(session).put(watch)
        return watch

    async def list_for_conversation(self, conversation: Conversation) -> list[GpuWatch]:
        """Return the watches of a conversation, sorted by GPU."""
        async with self._database.reading() as session:
            watches = await GpuWatchStore(session).list(host=self._host)
        conversation_watches = [watch for watch in watches if watch.conversation == conversation]
        return sorted(conversation_watches, key=lambda watch: (not watch.gpu.isdigit(), len(watch.gpu), watch.gpu))

    async def unwatch(self, gpu: str, conversation: Conversation) -> list[GpuWatch]:
        """Remove a conversation's watch of a GPU, or all its watches if `gpu` is empty; return them.

        Raises:
            GpuNotWatchedError: the conversation has no such watch.
        """
        gpu_ids = {gpu}
        # If the GPU is lost by now, only the typed text can be compared.
        with contextlib.suppress(NoGpuDriverError, InvalidValueError):
            gpu_ids.update(select_gpus(gpu, await self._reader.read_gpus()) if gpu else ())
        watches = await self.list_for_conversation(conversation)
        removed = [watch for watch in watches if not gpu or watch.gpu in gpu_ids]
        if not removed:
            buttons = [Button("Show GPU watches", "/gpus watch")] if watches else []
            raise GpuNotWatchedError(gpus=f"GPU {gpu}" if gpu else "GPUs", buttons=buttons)
        async with self._database.writing() as session:
            for watch in removed:
                await GpuWatchStore(session).remove(watch)
        return removed

    async def poll(self) -> int:
        """Check all watches; return how many notices were queued. Raises NoGpuDriverError."""
        async with self._database.reading() as session:
            watches = await GpuWatchStore(session).list(host=self._host)
        if not watches:
            return 0
        gpus = await self._reader.read_gpus()
        now = self._clock()
        notified = 0
        for watch in watches:
            free_since = (watch.free_since or now) if _is_free(watch, gpus) else None
            if free_since is not None and now - free_since >= watch.required_duration:
                await self._notify(watch, gpus, now)
                notified += 1
            elif free_since != watch.free_since:
                async with self._database.writing() as session:
                    await GpuWatchStore(session).put(replace(watch, free_since=free_since))
        return notified

    async def _notify(self, watch: GpuWatch, gpus: Sequence[Gpu], now: datetime) -> None:
        used_memory, total_memory = _find_memory(watch.gpu, gpus)
        free_memory = (
            f"{(total_memory - used_memory) / _GIBIBYTE:.0f} GiB"
            if used_memory is not None and total_memory is not None
            else ""
        )
        if watch.required_memory is not None:
            state = f"has {free_memory} of free memory"  # others may still use it
        else:
            state = f"is free, with {free_memory} of memory" if free_memory else "is free"
        share_flag = " --share" if watch.required_memory is not None else ""
        start_button = Button("Start worker", f'/worker start gpus="{watch.gpu}"{share_flag}')
        notice = Notice(
            f"gpu:{self._host}:{watch.gpu}",
            f"GPU {watch.gpu} on {self._host} {state}.",
            now,
            buttons=(start_button, Button("Show GPUs", "/gpus")),
            person_id=watch.person_id,
        )
        async with self._database.writing() as session:
            await OutboxStore(session).add([(notice, watch.conversation)], now=now)
            await GpuWatchStore(session).remove(watch)
        self._outbox_wakeup.wake()


def _is_free(watch: GpuWatch, gpus: Sequence[Gpu]) -> bool:
    """Return whether no process uses the GPU, or enough memory is free. A lost GPU is never free."""
    if watch.required_memory is not None:
        used_memory, total_memory = _find_memory(watch.gpu, gpus)
        return (
            used_memory is not None
            and total_memory is not None
            and total_memory - used_memory >= watch.required_memory
        )
    for gpu in gpus:
        if str(gpu.index) == watch.gpu:
            return not gpu.lost and not gpu.all_processes
        for instance in gpu.instances:
            if instance.uuid == watch.gpu:
                return not instance.processes
    return False


def _find_memory(gpu_id: str, gpus: Sequence[Gpu]) -> tuple[int | None, int | None]:
    """Return used and total memory of a GPU or MIG instance, in bytes."""
    for gpu in gpus:
        if str(gpu.index) == gpu_id:
            return gpu.memory_used, gpu.memory_total
        for instance in gpu.instances:
            if instance.uuid == gpu_id:
                return instance.memory_used, instance.memory_total
    return None, None
