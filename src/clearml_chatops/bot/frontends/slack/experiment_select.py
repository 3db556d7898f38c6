"""Experiments found while a person types: Slack waits three seconds, so what was found before helps out."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta

from clearml_chatops.bot.frontends.sanitizing import sanitize_line
from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.escaping import unescape
from clearml_chatops.bot.frontends.slack.incoming_requests import PLATFORM, Payload, read_actor
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity

ExperimentSuggester = Callable[[IncomingMessage], Awaitable[list[tuple[str, str]]]]

_MAX_OPTIONS = 100
_MAX_PEOPLE = 500
_MAX_EXPERIMENTS_PER_PERSON = 1000
"""Experiments that are remembered for one person."""
_SHORT_ID_LENGTH = 8


class ExperimentSelect:
    def __init__(self, suggest: ExperimentSuggester, *, timeout: timedelta) -> None:
        self._suggest = suggest
        self._timeout = timeout
        self._seen_experiments: OrderedDict[Identity, dict[str, str]] = OrderedDict()
        self._searches: set[asyncio.Task[list[tuple[str, str]]]] = set()

    async def find_options(self, body: Payload) -> list[block_kit.Block]:
        """What fits the text that a person is typing, in time; what he saw before where it takes too long."""
        message = _build_message(body)
        search = asyncio.create_task(self._search(message))
        self._searches.add(search)
        search.add_done_callback(self._on_search_finished)
        await asyncio.wait({search}, timeout=self._timeout.total_seconds())
        if search.done() and not search.cancelled() and not search.exception():
            found = search.result()
        else:
            found = self._find_remembered(message)
        return [_build_option(experiment_id, name) for experiment_id, name in found[:_MAX_OPTIONS]]

    async def close(self) -> None:
        for task in self._searches:
            task.cancel()
        await asyncio.gather(*self._searches, return_exceptions=True)

    async def _search(self, message: IncomingMessage) -> list[tuple[str, str]]:
        """Asks, and remembers the answer even where it is too late for this time."""
        found = await self._suggest(message)
        if not found and not message.text:
            # Nothing at all is also what somebody gets who may see nothing any more.
            self._seen_experiments.pop(message.sender, None)
            return []
        experiments = {**dict(found), **self._seen_experiments.pop(message.sender, {}), **dict(found)}
        self._seen_experiments[message.sender] = dict(list(experiments.items())[:_MAX_EXPERIMENTS_PER_PERSON])
        while len(self._seen_experiments) > _MAX_PEOPLE:
            self._seen_experiments.popitem(last=False)
        return found

    def _on_search_finished(self, task: asyncio.Task[list[tuple[str, str]]]) -> None:
        self._searches.discard(task)
        if not task.cancelled():
            # Looked at, lest asyncio complains of an error that nobody saw: here there is no suggestion then.
            task.exception()

    def _find_remembered(self, message: IncomingMessage) -> list[tuple[str, str]]:
        typed = message.text.casefold()
        experiments = self._seen_experiments.get(message.sender, {})
        return [item for item in experiments.items() if typed in item[1].casefold() or item[0].startswith(typed)]


def _build_message(body: Payload) -> IncomingMessage:
    actor = read_actor(body)
    return IncomingMessage(
        sender=Identity(PLATFORM, actor.user_id, actor.team_id),
        sender_name=actor.user_name,
        conversation=Conversation(PLATFORM, ""),
        text=unescape(str(body.get("value") or "")).strip(),
    )


def _build_option(experiment_id: str, name: str) -> block_kit.Block:
    return {
        **block_kit.build_option(sanitize_line(name), experiment_id),
        "description": block_kit.build_plain_text(experiment_id[:_SHORT_ID_LENGTH], block_kit.MAX_LABEL_LENGTH),
    }
