"""The funnel: every message of every front end goes through here, and nothing else does.

Recognise the person → find the command → authorise → bind the arguments → call the handler → audit.
"""

import logging
import re
import secrets
from dataclasses import dataclass, field

from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.lines import Word, join_words, split_words, undo_typography
from clearml_chatops.handlers.links import linked_reply
from clearml_chatops.handlers.registry import Command, ParameterKind, Registry
from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.models.errors import (
    AmbiguousExperimentError,
    ChatOpsError,
    DatabaseUnusableError,
    NotAllowedError,
    StrangerError,
)
from clearml_chatops.models.messages import TERMINAL, IncomingMessage
from clearml_chatops.models.people import Person, Role
from clearml_chatops.models.replies import Button, Buttons, Choice, Outcome, Reply, Text, Tone
from clearml_chatops.services.command_services import Services
from clearml_chatops.services.process import ProcessContext

logger = logging.getLogger(__name__)

_LONGEST_AUDITED_LINE = 2000
_MOST_ADMINS = 3


@dataclass(slots=True)
class _Passage:
    """What is known of a message so far, for the answer and for the audit trail."""

    person: Person | None = None
    words: list[Word] = field(default_factory=list)
    command: Command | None = None
    error_code: str = ""
    incident: str = ""


class Dispatcher:
    """Answers messages. Whatever happens, a message gets one reply and one entry in the audit trail."""

    def __init__(self, process: ProcessContext, registry: Registry) -> None:
        self._process = process
        self.registry = registry

    async def handle(self, message: IncomingMessage) -> Reply:
        """The reply to a message. Raises nothing: errors are replies, unexpected ones with an incident id."""
        passage = _Passage()
        try:
            reply = await self._answer(message, passage)
        except AmbiguousExperimentError as error:
            passage.error_code = error.code
            reply = _choice(error, passage)
        except ChatOpsError as error:
            passage.error_code = error.code
            reply = _refusal(error)
        except Exception as error:  # noqa: BLE001  # the apology logs it
            passage.error_code = "unexpected"
            passage.incident, reply = apology(error)
        await self._audit(message, passage, reply)
        return reply

    async def _answer(self, message: IncomingMessage, passage: _Passage) -> Reply:
        passage.person = await self._process.accounts.recognise(message)
        if passage.person is None:
            return await self._admitted(message, passage)
        await self._process.own_places.note(passage.person, message)
        passage.words = split_words(message.text)
        if not passage.words or passage.words[0].text == "/":
            return Reply.of(Text("Say a command, such as /find; /help lists them.", Tone.QUIET))
        texts = [word.text for word in passage.words]
        command, used = self.registry.find(texts, terminal=message.conversation.platform == TERMINAL)
        passage.command = command
        _authorise(passage.person, command, command.role)
        arguments = bind(command, passage.words[used:])
        needed = command.needs(arguments)
        _authorise(passage.person, command, needed)
        context = Context(
            message=message,
            person=passage.person,
            services=Services(self._process, passage.person, message),
            registry=self.registry,
            clock=self._process.clock,
        )
        reply = await command.handler(context, **arguments)
        if reply.experiment_id and reply.outcome is Outcome.DONE and needed > Role.VIEWER:
            await self._process.cards.mark_due([reply.experiment_id])
        return reply

    async def _admitted(self, message: IncomingMessage, passage: _Passage) -> Reply:
        """The reply to a stranger: he is let in by a code, or told whom to ask. No command of his is carried out.

        Raises:
            StrangerError, WrongLinkCodeError, TooManyLinkCodesError.
        """
        code = self._link_code(message.text)
        if not code:
            names = (await self._process.links.admin_names())[:_MOST_ADMINS]
            raise StrangerError(admins=" or ".join(names) or "an admin", identity=str(message.sender))
        passage.person = await self._process.links.use_code(code, message.sender)
        return linked_reply(passage.person)

    def _link_code(self, text: str) -> str:
        """The code in `/start CODE` or `/link CODE`; empty for any other line."""
        try:
            words = [word.text for word in split_words(text)]
            command, used = self.registry.find(words, terminal=False)
        except ChatOpsError:
            return ""
        return words[used] if command.takes_secret and len(words) == used + 1 else ""

    def _audited_line(self, text: str, passage: _Passage) -> str:
        """The line as the audit trail may have it: without a secret, also where it cannot be understood."""
        name, *rest = undo_typography(text).split(maxsplit=1) or [""]
        command = passage.command or self.registry.get(re.sub(r"[\\'\"]", "", name))
        if command is not None and command.takes_secret and rest:
            return f"/{command.name} …"
        return _storable(text[:_LONGEST_AUDITED_LINE])

    async def suggested_experiments(self, message: IncomingMessage) -> list[tuple[str, str]]:
        """Ids and names of experiments that fit the text which a person is typing; nothing for a stranger."""
        person = await self._process.accounts.recognise(message)
        if person is None:
            return []
        return await Services(self._process, person, message).suggestions.experiments(message.text)

    async def _audit(self, message: IncomingMessage, passage: _Passage, reply: Reply) -> None:
        entry = AuditEntry(
            at=self._process.clock(),
            identity=str(message.sender),
            person_id=passage.person.id if passage.person else None,
            conversation=str(message.conversation),
            line=self._audited_line(message.text, passage),
            outcome=reply.outcome,
            experiment_id=reply.experiment_id,
            error_code=passage.error_code,
            incident=passage.incident,
        )
        try:
            await self._process.audit.add(entry)
        except DatabaseUnusableError:
            # The command is done and its answer is worth more than its record, which the log then holds.
            logger.exception("The audit trail cannot be written: %s", entry, extra={"action": "audit_failed"})


def _authorise(person: Person, command: Command, needed: Role) -> None:
    if person.role < needed:
        raise NotAllowedError(command=f"/{command.name}", needed=needed.word, role=person.role.word)


def _refusal(error: ChatOpsError) -> Reply:
    blocks: list[Text | Buttons] = [Text(str(error), Tone.FAILURE)]
    if error.offers:
        blocks.append(Buttons(error.offers))
    return Reply(tuple(blocks), Outcome.REFUSED)


def _choice(error: AmbiguousExperimentError, passage: _Passage) -> Reply:
    """The same command line again, once for each experiment that could have been meant."""
    options = tuple(
        Button(
            f"{candidate.short_id}  {candidate.name}  {candidate.status.word}  {candidate.project_name}",
            join_words(_with_experiment(passage, error.reference, candidate.id)),
        )
        for candidate in error.candidates
    )
    return Reply((Choice(str(error), options),), Outcome.ASKED)


def _with_experiment(passage: _Passage, reference: str, experiment_id: str) -> list[Word]:
    """The words with the id where the reference stood: in the option that takes one, else in the first bare word.

    Nowhere else: a new name, a parameter's value or the command itself may read the same.
    """
    words = list(passage.words)
    options = {
        parameter.name
        for parameter in (passage.command.parameters if passage.command else ())
        if parameter.kind is ParameterKind.OPTION and parameter.converter.completes == "experiment"
    }
    places: dict[str, tuple[int, Word]] = {}
    for place, word in enumerate(words[1:], 1):
        name, _, value = word.text.removeprefix("--").partition("=")
        if name.lower() in options and value.strip() == reference:
            places.setdefault("option", (place, Word(f"{name}={experiment_id}", name)))
        elif word.key is None and word.text.strip() == reference:
            places.setdefault("bare", (place, word.with_value(experiment_id)))
    found = places.get("option") or places.get("bare")
    if found:
        words[found[0]] = found[1]
    return words


def _storable(text: str) -> str:
    """The text without what no database takes: halves of characters, and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def apology(error: BaseException) -> tuple[str, Reply]:
    """Logs what nobody expected under an incident id; gives the id and the reply that tells it to the person."""
    incident = secrets.token_hex(4)
    logger.error("Incident %s", incident, exc_info=error, extra={"action": "incident", "incident": incident})
    text = f"Something unexpected happened. An admin finds it in the log under the incident id {incident}."
    return incident, Reply((Text(text, Tone.FAILURE),), Outcome.BROKEN)
