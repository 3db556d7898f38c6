"""Experiments found while a person types: Slack waits three seconds, so what was found before helps out."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta

from clearml_chatops.bot.frontends.slack import block_kit
from clearml_chatops.bot.frontends.slack.incoming import PLATFORM, Payload, who_acts
from clearml_chatops.bot.frontends.slack.wire_text import unescape
from clearml_chatops.bot.frontends.visible import visible_line
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity

Suggest = Callable[[IncomingMessage], Awaitable[list[tuple[str, str]]]]

_MOST_OPTIONS = 100
_MOST_PEOPLE = 500
_MOST_KNOWN = 1000
"""Experiments that are remembered for one person."""
_LENGTH_OF_SHORT_ID = 8


class ExperimentSelect:
    def __init__(self, suggest: Suggest, *, within: timedelta) -> None:
        self._suggest = suggest
        self._within = within
        self._known: OrderedDict[Identity, dict[str, str]] = OrderedDict()
        self._asking: set[asyncio.Task[list[tuple[str, str]]]] = set()

    async def options(self, body: Payload) -> list[block_kit.Block]:
        """What fits the text that a person is typing, in time; what he saw before where it takes too long."""
        message = _message(body)
        asking = asyncio.create_task(self._ask(message))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        await asyncio.wait({asking}, timeout=self._within.total_seconds())
        if asking.done() and not asking.cancelled() and not asking.exception():
            found = asking.result()
        else:
            found = self._remembered(message)
        return [_option(experiment_id, name) for experiment_id, name in found[:_MOST_OPTIONS]]

    async def close(self) -> None:
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)

    async def _ask(self, message: IncomingMessage) -> list[tuple[str, str]]:
        """Asks, and remembers the answer even where it is too late for this time."""
        found = await self._suggest(message)
        if not found and not message.text:
            # Nothing at all is also what somebody gets who may see nothing any more.
            self._known.pop(message.sender, None)
            return []
        known = {**dict(found), **self._known.pop(message.sender, {}), **dict(found)}
        self._known[message.sender] = dict(list(known.items())[:_MOST_KNOWN])
        while len(self._known) > _MOST_PEOPLE:
            self._known.popitem(last=False)
        return found

    def _asked(self, task: asyncio.Task[list[tuple[str, str]]]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            # Looked at, lest asyncio complains of an error that nobody saw: here there is no suggestion then.
            task.exception()

    def _remembered(self, message: IncomingMessage) -> list[tuple[str, str]]:
        typed = message.text.casefold()
        known = self._known.get(message.sender, {})
        return [item for item in known.items() if typed in item[1].casefold() or item[0].startswith(typed)]


def _message(body: Payload) -> IncomingMessage:
    person = who_acts(body)
    return IncomingMessage(
        sender=Identity(PLATFORM, person.user_id, person.team_id),
        sender_name=person.user_name,
        conversation=Conversation(PLATFORM, ""),
        text=unescape(str(body.get("value") or "")).strip(),
    )


def _option(experiment_id: str, name: str) -> block_kit.Block:
    return {
        **block_kit.option(visible_line(name), experiment_id),
        "description": block_kit.plain(experiment_id[:_LENGTH_OF_SHORT_ID], block_kit.LONGEST_LABEL),
    }
