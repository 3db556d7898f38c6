"""The chat at the prompt."""

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
from tests.frontends.conftest import FakeBot, FakeSuggestions, Terminal, build_small_registry, wait_until

CTRL_C, CTRL_D, ENTER = "\x03", "\x04", "\r"


@asynccontextmanager
async def run_chat(front_end: ConsoleFrontEnd, terminal: Terminal, keyboard: PipeInput) -> AsyncIterator[None]:
    """Run a chat inside the block, from its first prompt; leave it at the end."""
    chat = asyncio.create_task(front_end.chat())
    await wait_until(lambda: terminal.has_prompt)
    try:
        yield
        keyboard.send_text(f"/exit{ENTER}")
        async with asyncio.timeout(5):
            await chat
    finally:
        chat.cancel()


async def test_a_typed_line_is_answered(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    bot.replies["/find"] = Reply.of("Found it.")

    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text(f"/find{ENTER}{ENTER}")
        await wait_until(lambda: "Found it." in terminal.output.getvalue())

    assert bot.lines == ["/find"]


@pytest.mark.parametrize("exit_input", [CTRL_D, f"/exit{ENTER}", f"exit{ENTER}", f"quit{ENTER}"])
async def test_the_chat_ends_on_exit(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput, exit_input: str
) -> None:
    keyboard.send_text(exit_input)

    async with asyncio.timeout(5):
        await front_end.chat()

    assert bot.lines == []


async def test_ctrl_c_clears_the_line(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text(f"/abort everything{CTRL_C}/find{ENTER}")
        await wait_until(lambda: bool(bot.messages))

    assert bot.lines == ["/find"]


async def test_a_number_presses_a_button(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log 3f2a"),)))

    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text(f"/find{ENTER}1{ENTER}")
        await wait_until(lambda: len(bot.messages) == 2)

    assert bot.lines == ["/find", "/log 3f2a"]
    assert "→ /log 3f2a" in terminal.output.getvalue()


async def test_a_notification_appears_above_the_prompt(
    front_end: ConsoleFrontEnd, bot: FakeBot, terminal: Terminal, keyboard: PipeInput
) -> None:
    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text("/find base")
        await wait_until(lambda: terminal.typed_text == "/find base")

        await front_end.deliver(Reply.of("It started."))
        shown = terminal.output.getvalue()
        keyboard.send_text(f"line{ENTER}")
        await wait_until(lambda: bool(bot.messages))

    assert "● It started." in shown
    assert "/find base" in shown.partition("It started.")[2]
    assert bot.lines == ["/find baseline"]


async def test_two_notifications_at_once_do_not_mix(
    front_end: ConsoleFrontEnd, terminal: Terminal, keyboard: PipeInput
) -> None:
    first, second = (Reply.of(f"{word} has started.", f"{word} is on GPU 1.") for word in ("This", "That"))

    async with run_chat(front_end, terminal, keyboard):
        await asyncio.gather(front_end.deliver(first), front_end.deliver(second))

    shown = terminal.output.getvalue()
    positions = [shown.index(f"{word} {rest}") for word in ("This", "That") for rest in ("has started", "is on")]
    assert positions == sorted(positions)


async def test_ctrl_c_stops_waiting_for_a_command_and_the_chat_continues(
    bot: FakeBot, suggestions: FakeSuggestions, console: Console, terminal: Terminal, keyboard: PipeInput
) -> None:
    cancelled = []

    async def handle(message: IncomingMessage) -> Reply:
        bot.messages.append(message)
        if message.text == "/wait":
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.append(message.text)
        return Reply.of("Found it.")

    front_end = ConsoleFrontEnd(
        handle=handle, registry=build_small_registry(), suggestions=suggestions, user="anna", console=console
    )
    before = signal.getsignal(signal.SIGINT)
    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text(f"/wait{ENTER}")
        await wait_until(lambda: bot.lines == ["/wait"])
        os.kill(os.getpid(), signal.SIGINT)
        await wait_until(lambda: "No longer waiting" in terminal.output.getvalue())
        keyboard.send_text(f"/find{ENTER}")
        await wait_until(lambda: "Found it." in terminal.output.getvalue())

    assert cancelled == ["/wait"]
    assert signal.getsignal(signal.SIGINT) == before


async def test_the_end_of_the_program_ends_a_running_command(
    bot: FakeBot, suggestions: FakeSuggestions, console: Console, terminal: Terminal, keyboard: PipeInput
) -> None:
    cancelled = asyncio.Event()

    async def handle(message: IncomingMessage) -> Reply:
        bot.messages.append(message)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return Reply.of()

    front_end = ConsoleFrontEnd(
        handle=handle, registry=build_small_registry(), suggestions=suggestions, user="anna", console=console
    )
    chat = asyncio.create_task(front_end.chat())
    keyboard.send_text(f"/wait{ENTER}")
    await wait_until(lambda: bool(bot.messages))

    chat.cancel()

    with pytest.raises(asyncio.CancelledError):
        await chat
    async with asyncio.timeout(5):
        await cancelled.wait()


async def test_other_output_appears_above_the_prompt(
    front_end: ConsoleFrontEnd, terminal: Terminal, keyboard: PipeInput
) -> None:
    async with run_chat(front_end, terminal, keyboard):
        sys.stderr.write("a warning of a library\n")
        await wait_until(lambda: "a warning of a library" in terminal.output.getvalue())


async def test_the_history_file_is_private(
    bot: FakeBot,
    suggestions: FakeSuggestions,
    console: Console,
    terminal: Terminal,
    keyboard: PipeInput,
    tmp_path: Path,
) -> None:
    history = tmp_path / "state" / "history"
    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        suggestions=suggestions,
        user="anna",
        console=console,
        history_file=history,
    )

    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text(f"/find a{ENTER}/find a{ENTER} /find secret{ENTER}")
        await wait_until(lambda: len(bot.messages) == 3)

    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert [line for line in history.read_text().splitlines() if line.startswith("+")] == ["+/find a", "+/exit"]


async def test_the_chat_works_without_a_history_file(
    bot: FakeBot,
    suggestions: FakeSuggestions,
    console: Console,
    terminal: Terminal,
    keyboard: PipeInput,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        suggestions=suggestions,
        user="anna",
        console=console,
        history_file=tmp_path / "file" / "history",
    )

    async with run_chat(front_end, terminal, keyboard):
        keyboard.send_text(f"/find{ENTER}")
        await wait_until(lambda: bool(bot.messages))


async def test_progress_is_shown_after_a_delay(bot: FakeBot, suggestions: FakeSuggestions) -> None:
    delay_over, answered = asyncio.Event(), asyncio.Event()

    async def slow(message: IncomingMessage) -> Reply:
        bot.messages.append(message)
        await answered.wait()
        return Reply.of("Done.")

    screen = StringIO()
    front_end = ConsoleFrontEnd(
        handle=slow,
        registry=build_small_registry(),
        suggestions=suggestions,
        user="anna",
        console=Console(file=screen, width=80, force_terminal=True, _environ={"TERM": "xterm"}),
        wait_for_progress=delay_over.wait,
    )
    script_task = asyncio.create_task(front_end.run_lines(["/slow"]))
    await wait_until(lambda: bool(bot.messages))
    assert "working" not in screen.getvalue()

    delay_over.set()
    await wait_until(lambda: "working…" in screen.getvalue())
    answered.set()
    await script_task

    assert "Done." in screen.getvalue().rpartition("working…")[2]


async def test_no_progress_is_shown_in_a_pipe(
    bot: FakeBot, suggestions: FakeSuggestions, console: Console
) -> None:
    calls = []

    async def wait_for_progress() -> None:
        calls.append("now")

    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        suggestions=suggestions,
        user="anna",
        console=console,
        wait_for_progress=wait_for_progress,
    )
    await front_end.run_lines(["/find"])

    assert calls == []
