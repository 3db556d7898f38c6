"""Completions while a person types. Errors are ignored and give no suggestions."""

from collections.abc import Awaitable
from typing import TypeVar

from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.services.clearml_gateway import ClearML
from clearml_chatops.services.clearml_gateway.experiment_filters import ExperimentFilter
from clearml_chatops.services.experiments.experiment_lookup import ExperimentLookup

MAX_SUGGESTIONS = 100

Name = TypeVar("Name")


class SuggestionService:
    def __init__(self, *, clearml: ClearML, lookup: ExperimentLookup) -> None:
        self._clearml = clearml
        self._lookup = lookup

    async def suggest_experiments(self, text: str = "") -> list[tuple[str, str]]:
        """Return ids and names of the experiments that match a text, the last changed first."""
        return await _ignore_errors(self._find_experiments(text))

    async def suggest_queues(self) -> list[str]:
        return await _ignore_errors(self._list_queues())

    async def suggest_parameters(self) -> list[str]:
        """Return the parameters of the current experiment in the form of commands, like `args.lr`."""
        return await _ignore_errors(self._list_parameters())

    async def _find_experiments(self, text: str) -> list[tuple[str, str]]:
        found = await self._clearml.find_experiments(ExperimentFilter(text=text), limit=MAX_SUGGESTIONS)
        return [(item.id, item.name) for item in found]

    async def _list_queues(self) -> list[str]:
        return [queue.name for queue in await self._clearml.list_queues()]

    async def _list_parameters(self) -> list[str]:
        current = await self._lookup.get_current_id()
        if not current:
            return []
        found = (await self._clearml.get_experiments([current])).get(current)
        return [f"{item.section.lower()}.{item.name}" for item in found.parameters] if found else []


async def _ignore_errors(names: Awaitable[list[Name]]) -> list[Name]:
    try:
        return await names
    except ChatOpsError:
        return []
