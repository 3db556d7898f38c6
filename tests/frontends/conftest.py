"""A terminal in memory, and a fake bot that records messages and answers from a table."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Annotated

import pytest
from prompt_toolkit.application import AppSession, create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    ParameterValues,
    ParameterWords,
    PositionInQueue,
    QueueName,
    RestOfLine,
    SingleWord,
    StatusName,
    WordFlag,
)
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.errors import ChatOpsError
from clearml_chatops.models.experiments import Status
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone
from clearml_chatops.models.requests import RequestState


async def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, while the loop runs."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # a terminal's content sends no event
            await asyncio.sleep(0)


@dataclass
class FakeBot:
    """Answers each line with the reply set for it. Other lines are refused."""

    replies: dict[str, Reply] = field(default_factory=dict)
    messages: list[IncomingMessage] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return [message.text for message in self.messages]

    async def handle(self, message: IncomingMessage) -> Reply:
        self.messages.append(message)
        unknown = Reply((Text("No such command.", Tone.FAILURE),), Outcome.REFUSED)
        return self.replies.get(message.text, unknown)


@dataclass
class MemoryRequests:
    """Remembers which requests were handled. All are refused with `error`, or have the `fixed_state`."""

    begun: set[tuple[str, str]] = field(default_factory=set)
    finished: set[tuple[str, str]] = field(default_factory=set)
    error: ChatOpsError | None = None
    fixed_state: RequestState | None = None

    async def begin(self, platform: str, keys: Sequence[str]) -> RequestState:
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        if self.fixed_state:
            return self.fixed_state
        pairs = {(platform, key) for key in keys}
        if pairs & self.begun:
            return RequestState.HANDLED
        self.begun |= pairs
        return RequestState.NEW

    async def finish(self, platform: str, keys: Sequence[str]) -> None:
        self.finished |= {(platform, key) for key in keys}


@dataclass
class FakeSuggestions:
    known_experiments: list[tuple[str, str]] = field(
        default_factory=lambda: [
            ("3f2a9c1e", "baseline"),
            ("81c0aa12", "long baseline"),
            ("99aa0012", "evil\nname"),
        ]
    )
    known_queues: list[str] = field(default_factory=lambda: ["anna_queue", "two words"])
    known_parameters: list[str] = field(default_factory=lambda: ["args.lr", "args.gpus", "general.seed"])
    fails: bool = False
    request_count: int = 0

    async def suggest_experiments(self) -> list[tuple[str, str]]:
        self.request_count += 1
        if self.fails:
            raise ConnectionError
        return self.known_experiments

    async def suggest_queues(self) -> list[str]:
        return self.known_queues

    async def suggest_parameters(self) -> list[str]:
        return self.known_parameters


def build_small_registry() -> Registry:
    """Return a registry with every kind of argument that is completed."""
    family = CommandFamily("Things")

    @family.command("find", examples=())
    async def find(
        context: object, text: SingleWord = "", *, status: StatusName = Status.DRAFT, mine: WordFlag = False
    ) -> Reply:
        """Find experiments."""
        raise NotImplementedError

    @family.command("clone", examples=())
    async def clone(context: object, experiment: ExperimentReference, *, project: SingleWord = "") -> Reply:
        """Copy an experiment."""
        raise NotImplementedError

    @family.command("set", examples=())
    async def set_(context: object, words: ParameterWords = (), values: ParameterValues = ()) -> Reply:
        """Change parameters."""
        raise NotImplementedError

    @family.command("unset", examples=())
    async def unset(context: object, names: ParameterWords) -> Reply:
        """Remove parameters."""
        raise NotImplementedError

    @family.command("queue", examples=())
    async def queue(context: object, *, queue: QueueName = "") -> Reply:
        """Show the queue."""
        raise NotImplementedError

    @family.command("abort", examples=())
    async def abort(context: object, experiment: ExperimentReference = "", *, yes: Flag = False) -> Reply:
        """End a run."""
        raise NotImplementedError

    @family.command("queue move", examples=())
    async def queue_move(context: object, experiment: ExperimentReference, position: PositionInQueue) -> Reply:
        """Move a waiting experiment."""
        raise NotImplementedError

    @family.command("help", examples=())
    async def help_(context: object, command: Annotated[str, RestOfLine(completion="command")] = "") -> Reply:
        """Explain a command."""
        raise NotImplementedError

    return Registry([family])


@pytest.fixture
def bot() -> FakeBot:
    return FakeBot()


@pytest.fixture
def suggestions() -> FakeSuggestions:
    return FakeSuggestions()


@pytest.fixture
def console() -> Console:
    """A console on a pipe with 80 columns."""
    return Console(file=StringIO(), width=80, markup=False, emoji=False, highlight=False)


@pytest.fixture
def front_end(bot: FakeBot, suggestions: FakeSuggestions, console: Console) -> ConsoleFrontEnd:
    return ConsoleFrontEnd(
        handle=bot.handle, registry=build_small_registry(), suggestions=suggestions, user="anna", console=console
    )


def read_output(console: Console) -> str:
    """Return the output of a test's console."""
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture
def keyboard() -> Iterator[PipeInput]:
    with create_pipe_input() as keyboard:
        yield keyboard


@dataclass
class Terminal:
    """A screen that both prompt-toolkit and rich write to, as on a real terminal."""

    session: AppSession
    output: StringIO

    @property
    def typed_text(self) -> str:
        """The text after the prompt; empty while there is no prompt."""
        app = self.session.app
        return app.current_buffer.text if app is not None and app.is_running else ""

    @property
    def has_prompt(self) -> bool:
        return self.session.app is not None and self.session.app.is_running


@pytest.fixture
def terminal(keyboard: PipeInput, console: Console) -> Iterator[Terminal]:
    assert isinstance(console.file, StringIO)
    output = Vt100_Output(console.file, lambda: Size(rows=24, columns=80), term="xterm", enable_cpr=False)
    with create_app_session(input=keyboard, output=output) as session:
        yield Terminal(session, console.file)
