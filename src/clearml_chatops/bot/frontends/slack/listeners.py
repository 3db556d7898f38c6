"""The Bolt listeners. Each acknowledges and starts a task: if it raised, the acknowledgement would be lost."""

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from logging import Logger
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from clearml_chatops.bot.frontends.slack.block_kit import ACTION_PREFIX, LINK_PREFIX
from clearml_chatops.bot.frontends.slack.experiment_select import ExperimentSelect
from clearml_chatops.bot.frontends.slack.form_fields import EXPERIMENT_SELECT_ACTION_ID
from clearml_chatops.bot.frontends.slack.form_modals import FormModals
from clearml_chatops.bot.frontends.slack.home_tab import HomeTab
from clearml_chatops.bot.frontends.slack.incoming_requests import (
    SlackRequest,
    build_deduplication_keys,
    parse_button,
    parse_command,
    parse_message,
)
from clearml_chatops.bot.frontends.slack.modal_metadata import build_order_key
from clearml_chatops.bot.frontends.slack.modal_views import FORM_CALLBACK_ID
from clearml_chatops.bot.frontends.slack.ordered_app import OrderedApp
from clearml_chatops.bot.frontends.slack.responder import Responder
from clearml_chatops.bot.frontends.slack.running_commands import RunningCommands
from clearml_chatops.bot.frontends.slack.shortcuts import CLONE_SHORTCUT, parse_shortcut
from clearml_chatops.bot.frontends.slack.startup_checks import BotIdentity
from clearml_chatops.bot.frontends.slack.stored_commands import StoredCommands
from clearml_chatops.bot.frontends.slack.submission_acknowledgement import SubmissionAcknowledgement
from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone

Body = dict[str, Any]
Answer = Callable[[SlackRequest], Coroutine[Any, Any, None]]

_ANY_COMMAND = re.compile("^/")
_ANY_BUTTON = re.compile(f"^{ACTION_PREFIX}")
_ANY_LINK = re.compile(f"^{LINK_PREFIX}")


@dataclass(frozen=True, slots=True)
class Listeners:
    """Routes each kind of payload to the object that handles it."""

    registry: Registry
    prefix: str
    running_commands: RunningCommands
    responder: Responder
    stored_commands: StoredCommands
    form_modals: FormModals
    home_tab: HomeTab
    experiment_select: ExperimentSelect

    def build_bolt_app(self, client: AsyncWebClient, bot: BotIdentity, logger: Logger) -> AsyncApp:
        """Build the Bolt app with all listeners registered."""

        async def authorise() -> AuthorizeResult:
            # Known from the startup checks. Bolt would ask Slack before it acknowledges the first commands.
            return AuthorizeResult(
                enterprise_id=None,
                team_id=bot.team_id,
                bot_user_id=bot.user_id,
                bot_id=bot.bot_id,
                bot_token=client.token,
            )

        async def on_message(body: Body, context: AsyncBoltContext) -> None:
            # Bolt acknowledges events itself.
            request = parse_message(body, self.registry, bot.user_id)
            if request:
                self._start(body, context, lambda: request, self.responder.answer)

        app = OrderedApp(
            client=client,
            authorize=authorise,
            logger=logger,
            request_verification_enabled=False,  # HttpReceiver has verified the signature
        )
        app.command(_ANY_COMMAND)(self._on_command)
        app.action(_ANY_BUTTON)(self._on_button)
        app.action(_ANY_LINK)(self._on_link)
        app.view(FORM_CALLBACK_ID)(self._on_submission)
        app.options(EXPERIMENT_SELECT_ACTION_ID)(self._on_options_request)
        app.message_shortcut(CLONE_SHORTCUT)(self._on_shortcut)
        app.event("app_home_opened")(self._on_home_opened)
        app.event("app_mention")(on_message)
        app.event("message")(on_message)
        return app

    async def _on_command(self, ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        self._start(
            body, context, lambda: parse_command(body, self.registry, self.prefix), self.form_modals.answer
        )

    async def _on_button(self, ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        """Handle a button of a message, the Home tab or a modal."""
        await ack()
        view = body.get("view")
        if not view:
            self._start(body, context, lambda: parse_button(body), self._answer_message_button)
        elif view["type"] == "home":
            self.running_commands.start(
                build_deduplication_keys(body),
                lambda: self.home_tab.handle_button(body),
                show=partial(self.home_tab.show_reply, body),
                order_key=build_order_key(body, context.user_id),
            )
        else:
            self.running_commands.start(
                build_deduplication_keys(body),
                lambda: self._answer_modal_button(body),
                show=partial(self.form_modals.show_button_reply, body),
                order_key=build_order_key(body, context.user_id),
            )

    async def _on_link(self, ack: AsyncAck) -> None:
        """Acknowledge the press of a link button. Slack opens the page itself."""
        await ack()

    async def _on_submission(self, ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        acknowledgement = self.form_modals.expect_acknowledgement()
        self.running_commands.start(
            build_deduplication_keys(body),
            lambda: self._answer_submission(body, acknowledgement),
            show=partial(self.form_modals.show_refusal, body, acknowledgement),
            on_repeat=lambda: self.form_modals.handle_repeated_submission(body, acknowledgement),
            order_key=build_order_key(body, context.user_id),
        )
        await ack(**await acknowledgement.wait())

    async def _on_options_request(self, ack: AsyncAck, body: Body) -> None:
        await ack(options=await self.experiment_select.find_options(body))

    async def _on_shortcut(self, ack: AsyncAck, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        self._start(body, context, lambda: parse_shortcut(body), self.form_modals.answer)

    async def _on_home_opened(self, body: Body) -> None:
        async def show_home(_reply: Reply) -> None:
            # The tab only shows something, so it can be shown again.
            await self.home_tab.handle_opened(body)

        self.running_commands.start(
            build_deduplication_keys(body), lambda: self.home_tab.handle_opened(body), show=show_home
        )

    def _start(
        self, body: Body, context: AsyncBoltContext, parse: Callable[[], SlackRequest], answer: Answer
    ) -> None:
        """Carry out a request once. If it isn't carried out, say so where it was sent."""

        async def show(reply: Reply) -> None:
            # The message of a pressed button isn't replaced.
            await self.responder.show_reply(replace(parse(), in_place=False), reply)

        self.running_commands.start(
            build_deduplication_keys(body),
            lambda: answer(parse()),
            show=show,
            order_key=build_order_key(body, context.user_id),
        )

    async def _answer_modal_button(self, body: Body) -> None:
        await self.home_tab.refresh(await self.form_modals.handle_button(body))

    async def _answer_message_button(self, request: SlackRequest) -> None:
        try:
            command_line = await self.stored_commands.expand(request.command_line)
        except ChatOpsError as error:
            await self.responder.show_reply(request, Reply((Text(str(error), Tone.WARNING),), Outcome.REFUSED))
        else:
            await self.form_modals.answer(replace(request, command_line=command_line))

    async def _answer_submission(self, body: Body, acknowledgement: SubmissionAcknowledgement) -> None:
        await self.home_tab.refresh(await self.form_modals.handle_submission(body, acknowledgement))
