"""Lines of a script: what is sent to the bot, what the transcript shows, whether all was done."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from clearml_chatops.bot.frontends.console import ConsoleFrontEnd, lines_of, terminal_console
from clearml_chatops.models.messages import TERMINAL, Conversation, IncomingMessage
from clearml_chatops.models.people import Identity
from clearml_chatops.models.replies import Button, Buttons, Outcome, Reply
from tests.frontends.conftest import FakeBot, FakeNames, reached, small_registry, written


async def test_a_line_becomes_a_message_and_its_reply_text(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find baseline"] = Reply.of("Found it.")

    assert await front_end.run_lines(["/find baseline\n"])

    assert bot.heard == [
        IncomingMessage(Identity(TERMINAL, "anna"), "anna", Conversation(TERMINAL, "anna"), "/find baseline")
    ]
    assert written(console) == "> /find baseline\n  Found it.\n\n"


async def test_empty_lines_and_comments_are_left_out(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    await front_end.run_lines(["", "   ", "# a remark", "  # another", "find x"])

    assert bot.lines == ["find x"]


async def test_a_line_without_slash_is_echoed_as_the_command_it_is(
    front_end: ConsoleFrontEnd, console: Console
) -> None:
    await front_end.run_lines(["find x"])

    assert written(console).startswith("> /find x\n")


async def test_a_script_ends_at_a_refusal(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/find"] = Reply.of("Found it.")

    assert not await front_end.run_lines(["/find", "/unknown", "/find"])
    assert bot.lines == ["/find", "/unknown"]


async def test_a_question_is_done_only_when_the_next_line_answers_it(
    front_end: ConsoleFrontEnd, bot: FakeBot
) -> None:
    bot.replies["/abort"] = Reply.asking("Really?", Button("Yes", "/abort --yes"))
    bot.replies["/abort --yes"] = Reply.of("Aborted.")

    assert await front_end.run_lines(["/abort", "1"])
    assert not await front_end.run_lines(["/abort", "/abort --yes"])
    assert bot.lines == ["/abort", "/abort --yes", "/abort"]


@pytest.mark.parametrize("outcome", [Outcome.ASKED, Outcome.REFUSED, Outcome.BROKEN])
async def test_only_done_counts_as_done(front_end: ConsoleFrontEnd, bot: FakeBot, outcome: Outcome) -> None:
    bot.replies["/find"] = Reply((), outcome)

    assert not await front_end.run_lines(["/find"])


async def test_exit_ends_a_script(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    assert await front_end.run_lines(["/exit", "/find"])
    assert bot.lines == []


async def test_lines_may_come_one_by_one(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/find a"] = bot.replies["/find b"] = Reply.of("Found it.")

    async def typed() -> AsyncIterator[str]:
        yield "/find a"
        assert bot.lines == ["/find a"]
        yield "/find b"

    await front_end.run_lines(typed())

    assert bot.lines == ["/find a", "/find b"]


async def test_a_number_runs_the_command_of_its_button(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log 3f2a"), Button("Clone", "/clone 3f2a"))))
    bot.replies["/clone 3f2a"] = Reply.of("Cloned.")

    assert await front_end.run_lines(["/find", "2"])

    assert bot.lines == ["/find", "/clone 3f2a"]
    assert "> 2\n  → /clone 3f2a\n  Cloned.\n" in written(console)


async def test_an_option_of_a_choice_is_a_button_too(front_end: ConsoleFrontEnd, bot: FakeBot) -> None:
    bot.replies["/abort"] = Reply.asking("Really?", Button("Yes", "/abort --yes"))

    await front_end.run_lines(["/abort", "[1]"])

    assert bot.lines == ["/abort", "/abort --yes"]


async def test_a_number_without_button_gets_one_sentence_and_sends_nothing(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log"), Button("Clone", "/clone"))))

    assert not await front_end.run_lines(["7"])
    assert not await front_end.run_lines(["/find", "3"])

    assert bot.lines == ["/find"]
    assert "nothing here has a number yet" in written(console)
    assert "There is no button 3: they go from 1 to 2." in written(console)


async def test_a_reply_without_buttons_leaves_the_numbers_as_they_are(
    front_end: ConsoleFrontEnd, bot: FakeBot
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Log", "/log"),)))

    await front_end.run_lines(["/find", "/mistyped"])
    await front_end.run_lines(["1"])

    assert bot.lines == ["/find", "/mistyped", "/log"]


async def test_a_notification_never_takes_over_a_number(
    front_end: ConsoleFrontEnd, bot: FakeBot, console: Console
) -> None:
    bot.replies["/find"] = Reply.of(Buttons((Button("Abort", "/abort"),)))
    await front_end.run_lines(["/find"])

    await front_end.deliver(Reply.of("It has Failed.", Buttons((Button("Log", "/log"),))))
    await front_end.run_lines(["1"])
    await front_end.run_lines(["2"])

    assert "● It has Failed.\n  [2] Log\n" in written(console)
    assert bot.lines == ["/find", "/abort", "/log"]


async def test_numbers_stay_short_after_a_night_of_notifications(
    front_end: ConsoleFrontEnd, console: Console
) -> None:
    for _ in range(150):
        await front_end.deliver(Reply.of("News.", Buttons((Button("Log", "/log"),))))

    assert "[99]" not in written(console)


async def test_notifications_appear_while_a_command_waits(
    bot: FakeBot, names: FakeNames, console: Console
) -> None:
    answered = asyncio.Event()

    async def wait(message: IncomingMessage) -> Reply:
        bot.heard.append(message)
        await answered.wait()
        return Reply.of("It is Running.")

    front_end = ConsoleFrontEnd(handle=wait, registry=small_registry(), names=names, user="anna", console=console)
    playing = asyncio.create_task(front_end.run_lines(["/wait"]))
    await reached(lambda: bool(bot.heard))

    await front_end.deliver(Reply.of("It has left Pending."))
    answered.set()

    assert await playing
    assert written(console) == "> /wait\n● It has left Pending.\n\n  It is Running.\n\n"


async def test_a_hostile_line_is_echoed_harmlessly(front_end: ConsoleFrontEnd, console: Console) -> None:
    await front_end.run_lines(["/find \x1b[2J[red]x\u202e"])

    assert written(console).startswith("> /find ␛[2J[red]x�\n")


async def test_a_long_line_is_echoed_in_one_piece(front_end: ConsoleFrontEnd, console: Console) -> None:
    line = "/find " + "word " * 40 + "end"

    await front_end.run_lines([line])

    assert f"> {line}\n" in written(console)


async def test_a_stream_gives_its_lines_whatever_bytes_are_in_it() -> None:
    stream = BytesIO("\ufeff/find a\r\n".encode() + b"/find \xff\nlast")

    assert [line.strip() async for line in lines_of(stream)] == ["/find a", "/find �", "last"]


async def test_a_pipe_gives_a_line_before_the_next_one_is_written() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reading, os.fdopen(write_end, "wb", buffering=0) as writing:
        lines = lines_of(reading)
        writing.write(b"/find\n")
        assert await anext(lines) == "/find\n"
        writing.write(b"/show\n")
        assert await anext(lines) == "/show\n"
        writing.close()
        assert [line async for line in lines] == []


def test_a_transcript_is_80_columns_wide_wherever_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", StringIO())

    assert terminal_console().width == 80


async def test_a_character_that_the_encoding_lacks_does_not_cost_the_answer(
    monkeypatch: pytest.MonkeyPatch, bot: FakeBot, names: FakeNames
) -> None:
    stream = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(stream, encoding="ascii"))
    bot.replies["/find"] = Reply.of("実験 done")
    front_end = ConsoleFrontEnd(
        handle=bot.handle, registry=small_registry(), names=names, user="anna", console=terminal_console()
    )

    assert await front_end.run_lines(["/find"])
    assert stream.getvalue() == b"> /find\n  ?? done\n\n"
