"""Windows in which forms are filled in: opened at once, filled when the reply is there, answered within.

Nothing of an open window is in memory; what it needs is in the window itself.
"""

import asyncio
import logging
from collections import OrderedDict
from datetime import timedelta

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.answering import Answering
from clearml_chatops.bot.frontends.slack.form_fields import changes, typed_into
from clearml_chatops.bot.frontends.slack.incoming import Heard, Payload
from clearml_chatops.bot.frontends.slack.modals import refused_view, view_of, working_view
from clearml_chatops.bot.frontends.slack.origin import command_of, heard_in_window, pressed_in_window
from clearml_chatops.bot.frontends.slack.views import View, Views
from clearml_chatops.handlers.forms import line_with, opens_form
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.replies import Code, Outcome, Reply, Text, Tone

logger = logging.getLogger(__name__)

_MOST_REMEMBERED = 100
_UNCHANGED = Reply.of("Nothing is changed yet: change a value, or cancel.")
_ELSEWHERE = Text("The answer is in a message.", Tone.QUIET)


class Dialogs:
    def __init__(self, *, answering: Answering, views: Views, registry: Registry, head_start: timedelta) -> None:
        self._answering = answering
        self._views = views
        self._registry = registry
        self._head_start = head_start
        self._shown: OrderedDict[str, View] = OrderedDict()

    async def answer(self, heard: Heard) -> None:
        """Answers in a window what asks for a form, everything else where it was said."""
        if not heard.trigger or not opens_form(self._registry, heard.line):
            await self._answering.answer(heard)
            return
        try:
            view_id = await self._views.open(heard.trigger, working_view())
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A window did not open: %s", error, extra={"action": "slack_window"})
            await self._answering.answer(heard)
            return
        await self._show(view_id, heard, await self._answering.reply_to(heard))

    async def pressed(self, body: Payload) -> Heard:
        """A button in a window: its answer takes the window's place. Gives what was heard."""
        heard, view_id = pressed_in_window(body), str(body["view"]["id"])
        await self._try_to_update(view_id, working_view())
        await self._show(view_id, heard, await self._answering.reply_to(heard))
        return heard

    async def submitted(self, body: Payload) -> Heard:
        """A form that was filled in, and acknowledged with a `working_view`. Gives what was heard."""
        view, view_id = body["view"], str(body["view"]["id"])
        typed = typed_into(view)
        command = command_of(view)
        heard = heard_in_window(body, line_with(command, changes(typed)))
        after_acknowledgement = asyncio.create_task(asyncio.sleep(self._head_start.total_seconds()))
        if heard.line == command and opens_form(self._registry, command):
            reply = _UNCHANGED
        else:
            reply = await self._answering.reply_to(heard)
        await after_acknowledgement
        if reply is not _UNCHANGED and reply.outcome in {Outcome.DONE, Outcome.ASKED}:
            await self._show_result(view_id, heard, reply)
        elif not await self._try_to_update(view_id, refused_view(view, reply, typed)):
            said = (Text("This is the line that you filled in:"), Code(heard.line))
            await self._answering.show_where_asked(heard, reply.followed_by(*said))
        return heard

    async def submitted_again(self, body: Payload) -> None:
        """A form that Slack delivers once more: its acknowledgement has covered what the window showed."""
        await asyncio.sleep(self._head_start.total_seconds())
        view_id = str(body["view"]["id"])
        if view_id in self._shown:
            await self._try_to_update(view_id, self._shown[view_id])

    async def _show_result(self, view_id: str, heard: Heard, reply: Reply) -> None:
        if not heard.posted or reply.outcome is not Outcome.DONE:
            await self._show(view_id, heard, reply)
            return
        await self._answering.show_where_asked(heard, reply)
        await self._say_elsewhere(view_id, heard)

    async def _show(self, view_id: str, heard: Heard, reply: Reply) -> None:
        """Shows a reply in the window, or where it was asked for if the window is gone or too small."""
        view = view_of(reply, heard)
        if view and await self._try_to_update(view_id, view):
            return
        await self._answering.show_where_asked(heard, reply)
        if view is None:
            await self._say_elsewhere(view_id, heard)

    async def _say_elsewhere(self, view_id: str, heard: Heard) -> None:
        if view := view_of(Reply((_ELSEWHERE,)), heard):
            await self._try_to_update(view_id, view)

    async def _try_to_update(self, view_id: str, view: View) -> bool:
        try:
            await self._views.update(view_id, view)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.info("A window does not show what it should: %s", error, extra={"action": "slack_window"})
            return False
        self._shown[view_id] = view
        self._shown.move_to_end(view_id)
        while len(self._shown) > _MOST_REMEMBERED:
            self._shown.popitem(last=False)
        return True
