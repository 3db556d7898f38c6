"""The names that completion offers, kept at hand so that typing never waits for a server."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clearml_chatops.models.experiments import SHORT_ID_LENGTH

_FRESH = 5.0
"""Seconds for which names are good enough; a person who has just made a queue runs a command first."""


class Suggestions(Protocol):
    """Where names come from. What fails costs the completion and nothing else."""

    async def experiments(self) -> list[tuple[str, str]]:
        """Short id and name of the experiments most likely meant, best first."""
        ...

    async def queues(self) -> list[str]: ...

    async def parameters(self) -> list[str]:
        """The parameters of the current experiment as they are typed, such as `args.lr`."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    experiments: tuple[tuple[str, str], ...] = ()
    queues: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


class RememberedNames:
    """The last known names, renewed in the background."""

    def __init__(self, source: Suggestions, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._renewed_at: float | None = None
        self._renewal: asyncio.Task[None] | None = None
        self.now = Names()

    def renew(self) -> None:
        """Begins to ask for names anew, unless that is under way."""
        if self._renewal is None or self._renewal.done():
            self._renewed_at = self._clock()
            self._renewal = asyncio.create_task(self._renew())

    def renew_if_old(self) -> None:
        if self._renewed_at is None or self._clock() - self._renewed_at >= _FRESH:
            self.renew()

    async def renewed(self) -> None:
        """Waits until no renewal is under way."""
        if self._renewal is not None:
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def aclose(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
        await self.renewed()

    async def _renew(self) -> None:
        experiments, queues, parameters = await asyncio.gather(
            self._source.experiments(), self._source.queues(), self._source.parameters(), return_exceptions=True
        )
        self.now = Names(
            self.now.experiments
            if isinstance(experiments, BaseException)
            else tuple((id_[:SHORT_ID_LENGTH], name) for id_, name in experiments),
            self.now.queues if isinstance(queues, BaseException) else tuple(queues),
            self.now.parameters if isinstance(parameters, BaseException) else tuple(parameters),
        )
