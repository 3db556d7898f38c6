"""A person at the prompt."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

import pytest
from prompt_toolkit.input import PipeInput
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.replies import Button, Buttons, Reply
from tests.frontends.conftest import FakeBot, FakeNames, Terminal, reached, small_registry

CTRL_C, CTRL_D, ENTER = "\x03", "\x04", "\r"


@asynccontextmanager
async def chatting(front_end: ConsoleFrontEnd, terminal: Terminal, keyboard: PipeInput) -> AsyncIterator[None]:
    """A chat that has shown its prompt; it is left at the end."""
    chat = asyncio.create_task(front_end.chat())
    await reached(lambda: terminal.has_prompt)
    try:
        yield
        keyboard.send_text(f"/exit{ENTER}")
        async with asyncio.timeout(5):
            await chat
    finally:
        chat.cancel()


async def test_what_is_typed_is_answered(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    bot.replies["/find"] = Reply.of("Found it.")

    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text(f"/find{ENTER}{ENTER}")
        await reached(lambda: "Found it." in terminal.written.getvalue())

    assert bot.lines == ["/find"]


@pytest.mark.parametrize("farewell", [CTRL_D, f"/exit{ENTER}", f"exit{ENTER}", f"quit{ENTER}"])
async def test_a_person_leaves(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput, farewell: str
) -> None:
    keyboard.send_text(farewell)

    async with asyncio.timeout(5):
        await front_end.chat()

    assert bot.lines == []


async def test_ctrl_c_clears_the_line(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text(f"/abort everything{CTRL_C}/find{ENTER}")
        await reached(lambda: bool(bot.heard))

    assert bot.lines == ["/find"]


async def test_a_number_presses_a_button(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log 3f2a"),)))

    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text(f"/find{ENTER}1{ENTER}")
        await reached(lambda: len(bot.heard) == 2)

    assert bot.lines == ["/find", "/log 3f2a"]
    assert "→ /log 3f2a" in terminal.written.getvalue()


async def test_a_notification_appears_above_what_is_being_typed(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text("/find base")
        await reached(lambda: terminal.typed == "/find base")

        await front_end.deliver(Reply.of("It has left Pending."))
        shown = terminal.written.getvalue()
        keyboard.send_text(f"line{ENTER}")
        await reached(lambda: bool(bot.heard))

    assert "● It has left Pending." in shown
    assert "/find base" in shown.partition("It has left Pending.")[2]
    assert bot.lines == ["/find baseline"]


async def test_two_notifications_at_once_come_one_after_the_other(
    front_end: ConsoleFrontEnd, terminal: Terminal, keyboard: PipeInput
) -> None:
    first, second = (Reply.of(f"{word} has left Pending.", f"{word} is on gpu1.") for word in ("This", "That"))

    async with chatting(front_end, terminal, keyboard):
        await asyncio.gather(front_end.deliver(first), front_end.deliver(second))

    shown = terminal.written.getvalue()
    positions = [shown.index(f"{word} {rest}") for word in ("This", "That") for rest in ("has left", "is on")]
    assert positions == sorted(positions)


async def test_ctrl_c_stops_waiting_for_a_command_and_the_chat_goes_on(
    bot: FakeBot, names: FakeNames, console: Console, terminal: Terminal, keyboard: PipeInput
) -> None:
    cancelled = []

    async def handle(message: IncomingMessage) -> Reply:
        bot.heard.append(message)
        if message.text == "/wait":
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append(message.text)
        return Reply.of("Found it.")

    front_end = ConsoleFrontEnd(
        handle=handle, registry=small_registry(), names=names, user="anna", console=console
    )
    before = signal.getsignal(signal.SIGINT)
    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text(f"/wait{ENTER}")
        await reached(lambda: bot.lines == ["/wait"])
        os.kill(os.getpid(), signal.SIGINT)
        await reached(lambda: "No longer waiting" in terminal.written.getvalue())
        keyboard.send_text(f"/find{ENTER}")
        await reached(lambda: "Found it." in terminal.written.getvalue())

    assert cancelled == ["/wait"]
    assert signal.getsignal(signal.SIGINT) == before


async def test_the_end_of_the_program_ends_a_running_command(
    bot: FakeBot, names: FakeNames, console: Console, terminal: Terminal, keyboard: PipeInput
) -> None:
    ended = asyncio.Event()

    async def handle(message: IncomingMessage) -> Reply:
        bot.heard.append(message)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Reply.of()

    front_end = ConsoleFrontEnd(
        handle=handle, registry=small_registry(), names=names, user="anna", console=console
    )
    chat = asyncio.create_task(front_end.chat())
    keyboard.send_text(f"/wait{ENTER}")
    await reached(lambda: bool(bot.heard))

    chat.cancel()

    with pytest.raises(asyncio.CancelledError):
        await chat
    async with asyncio.timeout(5):
        await ended.wait()


async def test_what_others_print_meanwhile_appears_above_the_prompt(
    front_end: ConsoleFrontEnd, terminal: Terminal, keyboard: PipeInput
) -> None:
    async with chatting(front_end, terminal, keyboard):
        sys.stderr.write("a warning of a library\n")
        await reached(lambda: "a warning of a library" in terminal.written.getvalue())


async def test_history_is_kept_for_its_owner_alone(
    bot: FakeBot, names: FakeNames, console: Console, terminal: Terminal, keyboard: PipeInput, tmp_path: Path
) -> None:
    history = tmp_path / "state" / "history"
    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=small_registry(),
        names=names,
        user="anna",
        console=console,
        history_file=history,
    )

    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text(f"/find a{ENTER}/find a{ENTER} /find secret{ENTER}")
        await reached(lambda: len(bot.heard) == 3)

    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert [line for line in history.read_text().splitlines() if line.startswith("+")] == ["+/find a", "+/exit"]


async def test_a_history_that_cannot_be_kept_does_not_keep_anyone_from_chatting(
    bot: FakeBot, names: FakeNames, console: Console, terminal: Terminal, keyboard: PipeInput, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=small_registry(),
        names=names,
        user="anna",
        console=console,
        history_file=tmp_path / "file" / "history",
    )

    async with chatting(front_end, terminal, keyboard):
        keyboard.send_text(f"/find{ENTER}")
        await reached(lambda: bool(bot.heard))


async def test_work_is_shown_once_patience_has_run_out(bot: FakeBot, names: FakeNames) -> None:
    impatient, answered = asyncio.Event(), asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        bot.heard.append(message)
        await answered.wait()
        return Reply.of("Done.")

    screen = StringIO()
    front_end = ConsoleFrontEnd(
        handle=slow,
        registry=small_registry(),
        names=names,
        user="anna",
        console=Console(file=screen, width=80, force_terminal=True, _environ={"TERM": "xterm"}),
        patience=impatient.wait,
    )
    playing = asyncio.create_task(front_end.run_lines(["/slow"]))
    await reached(lambda: bool(bot.heard))
    assert "working" not in screen.getvalue()

    impatient.set()
    await reached(lambda: "working…" in screen.getvalue())
    answered.set()
    await playing

    assert "Done." in screen.getvalue().rpartition("working…")[2]


async def test_a_pipe_sees_no_sign_of_work(bot: FakeBot, names: FakeNames, console: Console) -> None:
    asked = []

    async def patience() -> None:
        asked.append("now")

    front_end = ConsoleFrontEnd(
        handle=bot.handle, registry=small_registry(), names=names, user="anna", console=console, patience=patience
    )
    await front_end.run_lines(["/find"])

    assert asked == []
