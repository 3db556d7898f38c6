"""Names to complete while a person types. A suggestion is worth no error: what cannot be read is not suggested."""

from collections.abc import Awaitable
from typing import TypeVar

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_calls import ExperimentFilter
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup

MOST_SUGGESTED = 100

Name = TypeVar("Name")


class SuggestionService:
    def __init__(self, *, clearml: ClearML, lookup: ExperimentLookup) -> None:
        self._clearml = clearml
        self._lookup = lookup

    async def experiments(self, text: str = "") -> list[tuple[str, str]]:
        """Ids and names of the experiments that fit a text, those that changed last first."""
        return await _or_none(self._experiments(text))

    async def queues(self) -> list[str]:
        return await _or_none(self._queues())

    async def parameters(self) -> list[str]:
        """The parameters of the current experiment, as commands write them: `args.lr`."""
        return await _or_none(self._parameters())

    async def _experiments(self, text: str) -> list[tuple[str, str]]:
        found = await self._clearml.find_experiments(ExperimentFilter(text=text), limit=MOST_SUGGESTED)
        return [(item.id, item.name) for item in found]

    async def _queues(self) -> list[str]:
        return [queue.name for queue in await self._clearml.queues()]

    async def _parameters(self) -> list[str]:
        current = await self._lookup.current_id()
        if not current:
            return []
        found = (await self._clearml.experiments([current])).get(current)
        return [f"{item.section.lower()}.{item.name}" for item in found.parameters] if found else []


async def _or_none(names: Awaitable[list[Name]]) -> list[Name]:
    try:
        return await names
    except ChatOpsError:
        return []
