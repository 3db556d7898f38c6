"""The options of the experiment select, found while a person types.

Slack waits three seconds. If the search takes longer, experiments found earlier are offered.
"""

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
_SHORT_ID_LENGTH = 8


class ExperimentSelect:
    def __init__(self, suggest: ExperimentSuggester, *, timeout: timedelta) -> None:
        self._suggest = suggest
        self._timeout = timeout
        self._seen_experiments: OrderedDict[Identity, dict[str, str]] = OrderedDict()
        self._searches: set[asyncio.Task[list[tuple[str, str]]]] = set()

    async def find_options(self, body: Payload) -> list[block_kit.Block]:
        """Return options that match the typed text, or after the timeout those this person has seen before."""
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
        """Search, and remember the result even if it comes too late for this request."""
        found = await self._suggest(message)
        if not found and not message.text:
            # A person who lost access also gets an empty result, and must not see the remembered names.
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
            # Read the error, or asyncio logs it as never retrieved. A failed search just suggests nothing.
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
