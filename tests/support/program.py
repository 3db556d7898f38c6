"""The assembled program with a sandbox, used like a person at the terminal uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from clearml_chatops.bot.delivery import Delivery
from clearml_chatops.bot.frontends.front_end import OnDelivered
from clearml_chatops.bot.program import Program, open_program
from clearml_chatops.bot.settings import Settings
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Identity, Person, Role
from clearml_chatops.models.replies import Buttons, Choice, Code, Fields, Form, Outcome, Reply, Table, Text
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.state import User
from clearml_chatops.services.notifications.notifications import NotificationService
from clearml_chatops.storage.audit import AuditStore
from clearml_chatops.storage.database import Database
from clearml_chatops.storage.people import PeopleStore

_database_template = b""


@dataclass(frozen=True)
class RunningProgram:
    """The program, and a person who uses it."""

    program: Program
    sandbox: Sandbox
    identity: Identity
    name: str

    async def send(self, line: str, *, experiment_id: str = "") -> Reply:
        """Send a line and return the reply. `experiment_id` is the experiment of the card that it answers."""
        return await self.program.dispatcher.handle(
            IncomingMessage(self.identity, self.name, self.conversation, line, experiment_id)
        )

    async def ask(self, line: str) -> str:
        """Send a line that must succeed, and return the text of the reply."""
        reply = await self.send(line)
        assert reply.outcome is Outcome.DONE, to_plain_text(reply)
        return to_plain_text(reply)

    async def send_for_error_code(self, line: str) -> str:
        """Send a line that must fail, and return its error code from the audit trail."""
        reply = await self.send(line)
        assert reply.outcome is not Outcome.DONE, to_plain_text(reply)
        async with self.program.process.database.reading() as session:
            return (await AuditStore(session).list_newest(1))[0].error_code

    async def poll_and_deliver(self) -> list[str]:
        """Poll the watcher once and deliver the notifications. Return their texts."""
        await self.program.process.watcher.poll()
        return [to_plain_text(reply) for reply in await self.deliver_due()]

    async def deliver_due(
        self, notifications: NotificationService | None = None, conversation: Conversation | None = None
    ) -> list[Reply]:
        """Deliver and return what is due to the person, or to another conversation."""
        received: list[Reply] = []
        await self.build_delivery(received, notifications, conversation).deliver_due_messages()
        return received

    def build_delivery(
        self,
        received: list[Reply],
        notifications: NotificationService | None = None,
        conversation: Conversation | None = None,
    ) -> Delivery:
        """Build a delivery that appends to a list."""
        conversation = conversation or self.conversation

        async def receive(_conversation: Conversation, reply: Reply, on_delivered: OnDelivered) -> None:
            received.append(reply)
            await on_delivered()

        return Delivery(
            notifications=notifications or self.program.process.notifications,
            platform=conversation.platform,
            conversation_id=conversation.id,
            send=receive,
        )

    @property
    def conversation(self) -> Conversation:
        return Conversation(self.identity.platform, self.identity.user_id)

    async def add_person(self, user: User, role: Role) -> "RunningProgram":
        """Add another person with their ClearML user, who uses another platform."""
        identity = Identity("chat", user.name, "team")
        async with self.program.process.database.writing() as session:
            await PeopleStore(session).add(identity, name=user.name, role=role, clearml_user_id=user.id)
        return RunningProgram(self.program, self.sandbox, identity, user.name)

    async def find_person(self) -> Person | None:
        async with self.program.process.database.reading() as session:
            return await PeopleStore(session).find(self.identity)


@asynccontextmanager
async def run_program(
    sandbox: Sandbox, data_folder: Path, *, user: User | None = None, host: str = ""
) -> AsyncIterator[RunningProgram]:
    """Run the program with a user's credentials (default: Alice's). `host` replaces the sandbox's URL."""
    user = user or sandbox.alice
    settings = Settings.model_validate(
        {
            "CLEARML_API_HOST": host or sandbox.url,
            "CLEARML_API_ACCESS_KEY": user.access_key,
            "CLEARML_API_SECRET_KEY": user.secret_key,
            "CHATOPS_DATA": data_folder,
            "CHATOPS_HOST": "lab",
        }
    )
    if not settings.database_url:
        await create_database(settings.data_folder / "chatops.db")
    async with open_program(settings) as program:
        yield RunningProgram(program, sandbox, Identity("terminal", "alice"), "alice")


async def create_database(path: Path) -> None:
    """Create a database with empty tables, unless it exists. The migrations run once per test run."""
    global _database_template  # noqa: PLW0603  # one per test run
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if not _database_template:
        database = Database(f"sqlite:///{path}")
        await database.prepare()
        await database.aclose()
        _database_template = path.read_bytes()
    path.write_bytes(_database_template)


def to_plain_text(reply: Reply) -> str:
    """Return the full text of a reply, one part per line."""
    lines: list[str] = []
    for block in reply.blocks:
        match block:
            case Text() | Code():
                lines.append(block.text)
            case Fields():
                lines += [f"{label}: {value}" for label, value in block.items]
            case Table():
                lines += [" | ".join(row) for row in (block.columns, *block.rows)]
            case Form():
                lines.append(block.title)
                lines += [f"{field.name}: {field.value}" for field in block.fields]
            case Buttons():
                lines += [f"[{button.label}] {button.command}" for button in block.buttons]
            case Choice():
                lines += [block.question, *(f"[{option.label}] {option.command}" for option in block.options)]
    return "\n".join(lines)


def get_buttons(reply: Reply) -> dict[str, str]:
    """Return the command of each button of a reply, by label."""
    found = {}
    for block in reply.blocks:
        if isinstance(block, Buttons):
            found.update({button.label: button.command for button in block.buttons})
        elif isinstance(block, Choice):
            found.update({option.label: option.command for option in block.options})
    return found
