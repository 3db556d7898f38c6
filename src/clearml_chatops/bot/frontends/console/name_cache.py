"""A cache of the names for completion, which keeps typing independent of the server's speed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clearml_chatops.models.experiments import SHORT_ID_LENGTH

_MAX_AGE_SECONDS = 5.0
"""Names are refreshed at this age, and after each command."""


class Suggestions(Protocol):
    """The source of names. If it fails, only the completion suffers."""

    async def suggest_experiments(self) -> list[tuple[str, str]]:
        """Return id and name of the most likely experiments, best first."""
        ...

    async def suggest_queues(self) -> list[str]: ...

    async def suggest_parameters(self) -> list[str]:
        """Return the parameters of the current experiment as they are typed, such as `args.lr`."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    experiments: tuple[tuple[str, str], ...] = ()
    queues: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()


class NameCache:
    """The last known names, refreshed in the background."""

    def __init__(self, source: Suggestions, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._refreshed_at: float | None = None
        self._refresh_task: asyncio.Task[None] | None = None
        self.current = Names()

    def refresh(self) -> None:
        """Start a refresh, unless one is running."""
        if self._refresh_task is None or self._refresh_task.done():
            self._refreshed_at = self._clock()
            self._refresh_task = asyncio.create_task(self._fetch_names())

    def refresh_if_stale(self) -> None:
        if self._refreshed_at is None or self._clock() - self._refreshed_at >= _MAX_AGE_SECONDS:
            self.refresh()

    async def wait_for_refresh(self) -> None:
        """Wait until no refresh is running."""
        if self._refresh_task is not None:
            await asyncio.gather(self._refresh_task, return_exceptions=True)

    async def aclose(self) -> None:
        if self._refresh_task is not None:
            self._refresh_task.cancel()
        await self.wait_for_refresh()

    async def _fetch_names(self) -> None:
        experiments, queues, parameters = await asyncio.gather(
            self._source.suggest_experiments(),
            self._source.suggest_queues(),
            self._source.suggest_parameters(),
            return_exceptions=True,
        )
        self.current = Names(
            self.current.experiments
            if isinstance(experiments, BaseException)
            else tuple((id_[:SHORT_ID_LENGTH], name) for id_, name in experiments),
            self.current.queues if isinstance(queues, BaseException) else tuple(queues),
            self.current.parameters if isinstance(parameters, BaseException) else tuple(parameters),
        )
