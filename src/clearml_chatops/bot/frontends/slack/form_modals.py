"""Forms in modals: opened at once with a loading view, filled when the reply is ready, answered in place.

An open modal needs nothing in memory; its state is in its private_metadata and block_ids.
"""

import asyncio
import logging
from collections import OrderedDict
from weakref import WeakSet

from clearml_chatops.bot.frontends.front_end import DeliveryFailedError, DestinationGoneError
from clearml_chatops.bot.frontends.slack.form_fields import (
    SubmittedValues,
    find_errors,
    list_changes,
    read_submitted_values,
)
from clearml_chatops.bot.frontends.slack.incoming_requests import Payload, SlackRequest
from clearml_chatops.bot.frontends.slack.modal_metadata import (
    build_modal_request,
    parse_modal_button,
    read_form_command,
)
from clearml_chatops.bot.frontends.slack.modal_views import build_loading_view, build_refused_view, build_view
from clearml_chatops.bot.frontends.slack.responder import Responder
from clearml_chatops.bot.frontends.slack.submission_acknowledgement import SubmissionAcknowledgement
from clearml_chatops.bot.frontends.slack.timing import Timing
from clearml_chatops.bot.frontends.slack.views import View, Views
from clearml_chatops.handlers.forms import append_answers, opens_form
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.replies import Code, Outcome, Reply, Text, Tone

logger = logging.getLogger(__name__)

_MAX_REMEMBERED_VIEWS = 100
_UNCHANGED_TEXT = "Nothing has changed yet. Change a value, or cancel."
_UNCHANGED_REPLY = Reply.of(_UNCHANGED_TEXT)
_SENT_BEFORE_REPLY = Reply.of("This form was sent and answered before. Check before you send it again.")
_ANSWER_IS_IN_MESSAGE = Text("The answer was sent as a message.", Tone.SUBTLE)


class FormModals:
    def __init__(self, *, responder: Responder, views: Views, registry: Registry, timing: Timing) -> None:
        self._responder = responder
        self._views = views
        self._registry = registry
        self._timing = timing
        self._last_views: OrderedDict[str, View] = OrderedDict()
        self._acknowledgements: WeakSet[SubmissionAcknowledgement] = WeakSet()

    def expect_acknowledgement(self) -> SubmissionAcknowledgement:
        """Return the acknowledgement of a form that was just submitted."""
        acknowledgement = SubmissionAcknowledgement(self._timing.submission_timeout)
        self._acknowledgements.add(acknowledgement)
        return acknowledgement

    def acknowledge_all(self) -> None:
        """Let no acknowledgement wait any longer."""
        for acknowledgement in self._acknowledgements:
            acknowledgement.show_loading_view()

    async def answer(self, request: SlackRequest) -> None:
        """Open a modal if the command asks for a form; answer any other command in its conversation."""
        if not request.trigger_id or not opens_form(self._registry, request.command_line):
            await self._responder.answer(request)
            return
        try:
            view_id = await self._views.open(request.trigger_id, build_loading_view())
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.warning("A modal didn't open: %s", error, extra={"action": "slack_modal"})
            await self._responder.answer(request)
            return
        await self._show_in_modal(view_id, request, await self._responder.get_reply(request))

    async def handle_button(self, body: Payload) -> SlackRequest:
        """Replace the modal with the answer to one of its buttons. Return the button's request."""
        request, view_id = parse_modal_button(body), str(body["view"]["id"])
        await self._try_to_update(view_id, build_loading_view())
        await self._show_in_modal(view_id, request, await self._responder.get_reply(request))
        return request

    async def handle_submission(self, body: Payload, acknowledgement: SubmissionAcknowledgement) -> SlackRequest:
        """Handle a submitted form. Return its request.

        A wrong value is shown at its field if the form isn't acknowledged yet, else above the fields.
        """
        view, view_id = body["view"], str(body["view"]["id"])
        submitted_values = read_submitted_values(view)
        command = read_form_command(view)
        request = build_modal_request(body, append_answers(command, list_changes(submitted_values)))
        if request.command_line == command and opens_form(self._registry, command):
            reply = _UNCHANGED_REPLY
            errors = dict.fromkeys([*submitted_values][:1], _UNCHANGED_TEXT)
        else:
            reply = await self._responder.get_reply(request)
            errors = find_errors(reply, submitted_values)
        if errors and acknowledgement.show_errors(errors):
            return request
        await self._show_loading_view(acknowledgement)
        if reply is not _UNCHANGED_REPLY and reply.outcome in {Outcome.DONE, Outcome.ASKED}:
            await self._show_result(view_id, request, reply)
        else:
            await self._show_form_again(view, request, reply, submitted_values)
        return request

    async def handle_repeated_submission(self, body: Payload, acknowledgement: SubmissionAcknowledgement) -> None:
        """Show the last view again: acknowledging a redelivered form replaces it with the loading view."""
        last_view = self._last_views.get(str(body["view"]["id"]))
        if last_view is None:
            await self.show_refusal(body, acknowledgement, _SENT_BEFORE_REPLY)
            return
        await self._show_loading_view(acknowledgement)
        await self._try_to_update(str(body["view"]["id"]), last_view)

    async def show_refusal(self, body: Payload, acknowledgement: SubmissionAcknowledgement, reply: Reply) -> None:
        """Show why a submitted form isn't carried out, above the values that were filled in."""
        await self._show_loading_view(acknowledgement)
        view, submitted_values = body["view"], read_submitted_values(body["view"])
        line = append_answers(read_form_command(view), list_changes(submitted_values))
        await self._show_form_again(view, build_modal_request(body, line), reply, submitted_values)

    async def show_button_reply(self, body: Payload, reply: Reply) -> None:
        """Show the reply to a button of a modal."""
        await self._show_in_modal(str(body["view"]["id"]), parse_modal_button(body), reply)

    async def _show_loading_view(self, acknowledgement: SubmissionAcknowledgement) -> None:
        acknowledgement.show_loading_view()
        await asyncio.sleep(self._timing.acknowledgement_delay.total_seconds())

    async def _show_form_again(
        self, view: Payload, request: SlackRequest, reply: Reply, submitted_values: SubmittedValues
    ) -> None:
        """Show a form with its values and a reply, or both in the conversation if the form was closed."""
        if not await self._try_to_update(str(view["id"]), build_refused_view(view, reply, submitted_values)):
            submitted_line = (Text("This is the command you filled in:"), Code(request.command_line))
            await self._responder.show_reply(request, reply.followed_by(*submitted_line))

    async def _show_result(self, view_id: str, request: SlackRequest, reply: Reply) -> None:
        if not request.answers_in_message or reply.outcome is not Outcome.DONE:
            await self._show_in_modal(view_id, request, reply)
            return
        await self._responder.show_reply(request, reply)
        await self._show_answer_is_in_message(view_id, request)

    async def _show_in_modal(self, view_id: str, request: SlackRequest, reply: Reply) -> None:
        """Show a reply in the modal, or in the conversation if the modal was closed or can't show it."""
        view = build_view(reply, request)
        if view and await self._try_to_update(view_id, view):
            return
        await self._responder.show_reply(request, reply)
        if view is None:
            await self._show_answer_is_in_message(view_id, request)

    async def _show_answer_is_in_message(self, view_id: str, request: SlackRequest) -> None:
        if view := build_view(Reply((_ANSWER_IS_IN_MESSAGE,)), request):
            await self._try_to_update(view_id, view)

    async def _try_to_update(self, view_id: str, view: View) -> bool:
        try:
            await self._views.update(view_id, view)
        except (DeliveryFailedError, DestinationGoneError) as error:
            logger.info("A modal couldn't be updated: %s", error, extra={"action": "slack_modal"})
            return False
        self._last_views[view_id] = view
        self._last_views.move_to_end(view_id)
        while len(self._last_views) > _MAX_REMEMBERED_VIEWS:
            self._last_views.popitem(last=False)
        return True
