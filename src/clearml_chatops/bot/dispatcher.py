"""The dispatcher, which handles every message of every front end.

Identify the person → find the command → authorise → bind the arguments → call the handler → audit.
"""

import logging
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations

from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import Word, join_words, split_words, undo_typography
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.experiment_labels import format_choice
from clearml_chatops.handlers.links import build_linked_reply
from clearml_chatops.handlers.option_alternatives import list_alternatives
from clearml_chatops.handlers.registry import Command, ParameterKind, Registry
from clearml_chatops.handlers.unknown_commands import UnknownLine, build_unknown_command_reply, is_prose
from clearml_chatops.handlers.worker_choices import build_worker_choice
from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.models.errors import (
    AmbiguousExperimentError,
    AmbiguousWorkerError,
    ChatOpsError,
    DatabaseUnusableError,
    NotAllowedError,
    UnknownCommandError,
    UnknownUserError,
    UsageError,
)
from clearml_chatops.models.messages import TERMINAL, IncomingMessage
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button, Buttons, Choice, Outcome, Reply, Text, Tone
from clearml_chatops.services.command_services import CommandServices
from clearml_chatops.services.process import ProcessContext

logger = logging.getLogger(__name__)

_MAX_AUDITED_LINE_LENGTH = 2000
_MAX_ADMIN_NAMES = 3


@dataclass(slots=True)
class _CommandRun:
    """The state of one command while it is handled, for its reply and its audit entry."""

    person: Person | None = None
    words: list[Word] = field(default_factory=list)
    command: Command | None = None
    argument_words: list[Word] = field(default_factory=list)
    error_code: str = ""
    incident_id: str = ""


class Dispatcher:
    """Answers messages: each gets one reply and one audit entry, whatever happens."""

    def __init__(self, process: ProcessContext, registry: Registry) -> None:
        self._process = process
        self.registry = registry

    async def handle(self, message: IncomingMessage) -> Reply:
        """Return the reply to a message. Never raises: errors are replies, unexpected ones with an incident id."""
        command_run = _CommandRun()
        try:
            reply = await self._answer(message, command_run)
        except AmbiguousExperimentError as error:
            command_run.error_code = error.code
            reply = _build_choice(error, command_run, self._process.clock())
        except UnknownCommandError as error:
            command_run.error_code = error.code
            reply = self._suggest_commands(message, command_run, error)
        except UsageError as error:
            command_run.error_code = error.code
            reply = self._offer_alternatives(message, command_run, error)
        except AmbiguousWorkerError as error:
            command_run.error_code = error.code
            reply = _build_worker_choice(error, command_run)
        except ChatOpsError as error:
            command_run.error_code = error.code
            reply = build_refusal(error)
        except Exception as error:  # noqa: BLE001  # report_incident logs it
            command_run.error_code = "unexpected"
            command_run.incident_id, reply = report_incident(error)
        await self._record_audit_entry(message, command_run, reply)
        return reply

    async def _answer(self, message: IncomingMessage, command_run: _CommandRun) -> Reply:
        command_run.person = await self._process.accounts.identify(message)
        if command_run.person is None:
            return await self._admit_unknown_user(message, command_run)
        await self._process.direct_messages.record(command_run.person, message)
        command_run.words = split_words(message.text)
        if not command_run.words or command_run.words[0].text == "/":
            return Reply.of(Text("Send a command, such as /find. See all with /help.", Tone.SUBTLE))
        texts = [word.text for word in command_run.words]
        if is_prose(command_run.words):
            raise UnknownCommandError(name=texts[0], nearest="")
        command, name_word_count = self.registry.find(texts, terminal=message.conversation.platform == TERMINAL)
        command_run.command = command
        command_run.argument_words = command_run.words[name_word_count:]
        _authorise(command_run.person, command, command.role)
        arguments = bind(command, command_run.argument_words)
        required_role = command.get_required_role(arguments)
        _authorise(command_run.person, command, required_role)
        context = Context(
            message=message,
            person=command_run.person,
            services=CommandServices(self._process, command_run.person, message),
            registry=self.registry,
            clock=self._process.clock,
        )
        reply = await command.handler(context, **arguments)
        if reply.experiment_id and reply.outcome is Outcome.DONE and required_role > Role.VIEWER:
            await self._process.cards.mark_due([reply.experiment_id])
        return reply

    def _suggest_commands(
        self, message: IncomingMessage, command_run: _CommandRun, error: UnknownCommandError
    ) -> Reply:
        if not command_run.words or command_run.command is not None:
            return build_refusal(error)
        commands = self._list_allowed_commands(message, command_run.person)
        return build_unknown_command_reply(UnknownLine(command_run.words, self.registry, commands))

    def _offer_alternatives(self, message: IncomingMessage, command_run: _CommandRun, error: UsageError) -> Reply:
        if command_run.command is None or error.buttons:
            return build_refusal(error)
        commands = self._list_allowed_commands(message, command_run.person)
        buttons = list_alternatives(command_run.command, command_run.argument_words, commands)
        return build_refusal(error).followed_by(*([Buttons(buttons)] if buttons else []))

    def _list_allowed_commands(self, message: IncomingMessage, person: Person | None) -> list[Command]:
        """Return the commands that the person may use in this conversation."""
        terminal = message.conversation.platform == TERMINAL
        role = person.role if person else None
        return [
            item
            for item in self.registry
            if role is not None and item.role <= role and (terminal or not item.terminal_only)
        ]

    async def _admit_unknown_user(self, message: IncomingMessage, command_run: _CommandRun) -> Reply:
        """Link an unknown user who sends a link code. No other command of theirs runs.

        Raises:
            UnknownUserError: There is no code in the message. The error says who to ask for access.
            WrongLinkCodeError, TooManyLinkCodesError: The code can't be used.
        """
        code = self._parse_link_code(message.text)
        if not code:
            names = (await self._process.links.list_admin_names())[:_MAX_ADMIN_NAMES]
            raise UnknownUserError(admins=" or ".join(names) or "an admin", identity=str(message.sender))
        command_run.person = await self._process.links.redeem_code(code, message.sender)
        return build_linked_reply(command_run.person)

    def _parse_link_code(self, text: str) -> str:
        """Return the code in `/start CODE` or `/link CODE`; an empty string for any other line."""
        try:
            words = [word.text for word in split_words(text)]
            command, name_word_count = self.registry.find(words, terminal=False)
        except ChatOpsError:
            return ""
        return words[name_word_count] if command.takes_secret and len(words) == name_word_count + 1 else ""

    def _redact_line(self, text: str, command_run: _CommandRun) -> str:
        """Return the line for the audit trail, without secrets even if it can't be parsed."""
        name, *rest = undo_typography(text).split(maxsplit=1) or [""]
        command = command_run.command or self.registry.get(re.sub(r"[\\'\"]", "", name))
        if command is not None and command.takes_secret and rest:
            return f"/{command.name} …"
        return _replace_unstorable_characters(text[:_MAX_AUDITED_LINE_LENGTH])

    async def suggest_experiments(self, message: IncomingMessage) -> list[tuple[str, str]]:
        """Return ids and names of experiments that match what a person types; none for an unknown user."""
        person = await self._process.accounts.identify(message)
        if person is None:
            return []
        return await CommandServices(self._process, person, message).suggestions.suggest_experiments(message.text)

    async def _record_audit_entry(self, message: IncomingMessage, command_run: _CommandRun, reply: Reply) -> None:
        entry = AuditEntry(
            at=self._process.clock(),
            identity=str(message.sender),
            person_id=command_run.person.id if command_run.person else None,
            conversation=str(message.conversation),
            command=self._redact_line(message.text, command_run),
            outcome=reply.outcome,
            experiment_id=reply.experiment_id,
            error_code=command_run.error_code,
            incident_id=command_run.incident_id,
        )
        try:
            await self._process.audit.add(entry)
        except DatabaseUnusableError:
            # The command has run, so its reply matters more than its audit entry. The log has the entry instead.
            logger.exception("Can't write to the audit trail: %s", entry, extra={"action": "audit_failed"})


def _authorise(person: Person, command: Command, required_role: Role) -> None:
    if person.role < required_role:
        raise NotAllowedError(command=f"/{command.name}", needed=required_role.label, role=person.role.label)


def build_refusal(error: ChatOpsError) -> Reply:
    """Return the reply that tells a person why their command wasn't carried out."""
    blocks: list[Text | Buttons] = [Text(str(error), Tone.FAILURE)]
    if error.buttons:
        blocks.append(Buttons(error.buttons))
    return Reply(tuple(blocks), Outcome.REFUSED, field_errors=error.field_errors)


def _build_choice(error: AmbiguousExperimentError, command_run: _CommandRun, now: datetime) -> Reply:
    """Offer the same command line once for each experiment that matches."""
    options = tuple(
        Button(
            format_choice(candidate, now),
            join_words(_replace_reference(command_run, error.reference, candidate.id)),
        )
        for candidate in error.candidates
    )
    return Reply((Choice(str(error), options),), Outcome.ASKED)


def _build_worker_choice(error: AmbiguousWorkerError, command_run: _CommandRun) -> Reply:
    if command_run.command is None:
        return build_refusal(error)
    return build_worker_choice(error, command_run.command, command_run.argument_words)


def _replace_reference(command_run: _CommandRun, reference: str, experiment_id: str) -> list[Word]:
    """Put the id in place of the reference: in an experiment option, else in the first bare word.

    Other words stay: a new name, a parameter's value or the command itself may be the same text.
    """
    words = list(command_run.words)
    options = {
        parameter.name
        for parameter in (command_run.command.parameters if command_run.command else ())
        if parameter.kind is not ParameterKind.ASSIGNMENTS and parameter.converter.completion == "experiment"
    }
    matches: dict[str, tuple[int, Word]] = {}
    for index, word in enumerate(words[1:], 1):
        name, _, value = word.text.removeprefix("--").partition("=")
        if name.lower() in options and value.strip() == reference:
            matches.setdefault("option", (index, Word(f"{name}={experiment_id}", name)))
        elif word.key is None and word.text.strip() == reference:
            matches.setdefault("bare", (index, word.with_value(experiment_id)))
    match = matches.get("option") or matches.get("bare")
    if match:
        words[match[0]] = match[1]
        return words
    return _replace_joined_words(words, reference, experiment_id)


def _replace_joined_words(words: list[Word], reference: str, experiment_id: str) -> list[Word]:
    """Put the id in place of a name that was typed as several words without quotes, or between commas."""
    for start, end in combinations(range(1, len(words) + 1), 2):
        part = words[start:end]
        text = " ".join(word.text for word in part)
        if all(word.key is None for word in part) and text.strip(",") == reference:
            comma = "," if text.endswith(",") else ""
            return [*words[:start], Word(f"{experiment_id}{comma}"), *words[end:]]
    for index, word in enumerate(words[1:], 1):
        parts = word.value.split(",")
        if reference in parts:
            replaced = (experiment_id if part == reference else part for part in parts)
            return [*words[:index], word.with_value(",".join(replaced)), *words[index + 1 :]]
    return words


def _replace_unstorable_characters(text: str) -> str:
    """Replace what no database can store: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def report_incident(error: BaseException) -> tuple[str, Reply]:
    """Log an unexpected error under an incident id. Return the id, and a reply that shows it to the person."""
    incident_id = secrets.token_hex(4)
    logger.error("Incident %s", incident_id, exc_info=error, extra={"action": "incident", "incident": incident_id})
    text = f"Something went wrong. An admin can find it in the log by the incident id {incident_id}."
    return incident_id, Reply((Text(text, Tone.FAILURE),), Outcome.BROKEN)
