"""Scripts: the messages to the bot, the transcript, and whether all lines succeeded."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd, create_terminal_console, read_lines
from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Outcome, Reply
from tests.frontends.conftest import FakeBot, FakeSuggestions, build_small_registry, read_output, wait_until


async def test_a_line_becomes_a_message_and_its_reply_text(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find baseline"] = Reply.of("Found it.")

    assert await front_end.run_lines(["/find baseline\n"])

    assert bot.messages == [
        IncomingMessage(Identity(TERMINAL, "anna"), "anna", Conversation(TERMINAL, "anna"), "/find baseline")
    ]
    assert read_output(console) == "> /find baseline\n  Found it.\n\n"


async def test_empty_lines_and_comments_are_skipped(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    await front_end.run_lines(["", "   ", "# a remark", "  # another", "find x"])

    assert bot.lines == ["find x"]


async def test_a_line_without_slash_is_echoed_with_one(front_end: ConsoleFrontEnd, console: Console) -> None:
    await front_end.run_lines(["find x"])

    assert read_output(console).startswith("> /find x\n")


async def test_a_script_ends_at_a_refusal(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/find"] = Reply.of("Found it.")

    assert not await front_end.run_lines(["/find", "/unknown", "/find"])
    assert bot.lines == ["/find", "/unknown"]


async def test_a_question_succeeds_only_if_the_next_line_answers_it(
    front_end: ConsoleFrontEnd, bot: FakeBot
) -> None:
    bot.replies["/abort"] = Reply.with_choice("Really?", Button("Yes", "/abort --yes"))
    bot.replies["/abort --yes"] = Reply.of("Aborted.")

    assert await front_end.run_lines(["/abort", "1"])
    assert not await front_end.run_lines(["/abort", "/abort --yes"])
    assert bot.lines == ["/abort", "/abort --yes", "/abort"]


@pytest.mark.parametrize("outcome", [Outcome.ASKED, Outcome.REFUSED, Outcome.BROKEN])
async def test_any_other_outcome_is_a_failure(front_end: ConsoleFrontEnd, bot: FakeBot, outcome: Outcome) -> None:
    bot.replies["/find"] = Reply((), outcome)

    assert not await front_end.run_lines(["/find"])


async def test_exit_ends_a_script(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    assert await front_end.run_lines(["/exit", "/find"])
    assert bot.lines == []


async def test_lines_may_come_one_by_one(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/find a"] = bot.replies["/find b"] = Reply.of("Found it.")

    async def iterate_lines() -> AsyncIterator[str]:
        yield "/find a"
        assert bot.lines == ["/find a"]
        yield "/find b"

    await front_end.run_lines(iterate_lines())

    assert bot.lines == ["/find a", "/find b"]


async def test_a_number_runs_the_command_of_its_button(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log 3f2a"), Button("Clone", "/clone 3f2a"))))
    bot.replies["/clone 3f2a"] = Reply.of("Cloned.")

    assert await front_end.run_lines(["/find", "2"])

    assert bot.lines == ["/find", "/clone 3f2a"]
    assert "> 2\n  → /clone 3f2a\n  Cloned.\n" in read_output(console)


async def test_an_option_of_a_choice_is_a_button_too(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/abort"] = Reply.with_choice("Really?", Button("Yes", "/abort --yes"))

    await front_end.run_lines(["/abort", "[1]"])

    assert bot.lines == ["/abort", "/abort --yes"]


async def test_a_number_without_button_gets_one_sentence_and_sends_nothing(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log"), Button("Clone", "/clone"))))

    assert not await front_end.run_lines(["7"])
    assert not await front_end.run_lines(["/find", "3"])

    assert bot.lines == ["/find"]
    assert "There's no button 7 yet." in read_output(console)
    assert "There's no button 3. Type a number from 1 to 2." in read_output(console)


async def test_a_reply_without_buttons_keeps_the_numbers(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log"),)))

    await front_end.run_lines(["/find", "/mistyped"])
    await front_end.run_lines(["1"])

    assert bot.lines == ["/find", "/mistyped", "/log"]


async def test_a_notification_does_not_renumber_buttons(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Abort", "/abort"),)))
    await front_end.run_lines(["/find"])

    await front_end.deliver(Reply.of("It failed.", Buttons((Button("Log", "/log"),))))
    await front_end.run_lines(["1"])
    await front_end.run_lines(["2"])

    assert "● It failed.\n  [2] Log\n" in read_output(console)
    assert bot.lines == ["/find", "/abort", "/log"]


async def test_button_numbers_stay_below_100(front_end: ConsoleFrontEnd, console: Console) -> None:
    for _ in range(150):
        await front_end.deliver(Reply.of("News.", Buttons((Button("Log", "/log"),))))

    assert "[99]" not in read_output(console)


async def test_notifications_appear_while_a_command_waits(
    bot: FakeBot, suggestions: FakeSuggestions, console: Console
) -> None:
    answered = asyncio.Event()

    async def handle(message: IncomingMessage) -> Reply:
        bot.messages.append(message)
        await answered.wait()
        return Reply.of("It is Running.")

    front_end = ConsoleFrontEnd(
        handle=handle, registry=build_small_registry(), suggestions=suggestions, user="anna", console=console
    )
    script_task = asyncio.create_task(front_end.run_lines(["/wait"]))
    await wait_until(lambda: bool(bot.messages))

    await front_end.deliver(Reply.of("It started."))
    answered.set()

    assert await script_task
    assert read_output(console) == "> /wait\n● It started.\n\n  It is Running.\n\n"


async def test_an_echoed_line_is_sanitized(front_end: ConsoleFrontEnd, console: Console) -> None:
    await front_end.run_lines(["/find \x1b[2J[red]x\u202e"])

    assert read_output(console).startswith("> /find ␛[2J[red]x�\n")


async def test_a_long_line_is_echoed_in_one_piece(front_end: ConsoleFrontEnd, console: Console) -> None:
    line = "/find " + "word " * 40 + "end"

    await front_end.run_lines([line])

    assert f"> {line}\n" in read_output(console)


async def test_invalid_bytes_in_a_stream_are_replaced() -> None:
    stream = BytesIO("\ufeff/find a\r\n".encode() + b"/find \xff\nlast")

    assert [line.strip() async for line in read_lines(stream)] == ["/find a", "/find �", "last"]


async def test_a_pipe_is_read_line_by_line() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "wb", buffering=0) as writer:
        lines = read_lines(reader)
        writer.write(b"/find\n")
        assert await anext(lines) == "/find\n"
        writer.write(b"/show\n")
        assert await anext(lines) == "/show\n"
        writer.close()
        assert [line async for line in lines] == []


def test_a_transcript_is_80_columns_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", StringIO())

    assert create_terminal_console().width == 80


async def test_a_character_missing_from_the_encoding_is_replaced(
    monkeypatch: pytest.MonkeyPatch, bot: FakeBot, suggestions: FakeSuggestions
) -> None:
    stream = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(stream, encoding="ascii"))
    bot.replies["/find"] = Reply.of("実験 done")
    front_end = ConsoleFrontEnd(
        handle=bot.handle,
        registry=build_small_registry(),
        suggestions=suggestions,
        user="anna",
        console=create_terminal_console(),
    )

    assert await front_end.run_lines(["/find"])
    assert stream.getvalue() == b"> /find\n  ?? done\n\n"
