"""One person on several platforms: a code made here, said there; and what strangers may not."""

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, buttons, plain_text, running_program

UNKNOWN = "Ask alice to let you in and give this id: chat:team:U7"


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    async with running_program(sandbox, tmp_path) as running:
        await running.ask("/whoami")
        yield running


@pytest.fixture
async def bob(program: RunningProgram) -> RunningProgram:
    return await program.introduce(program.sandbox.bob, Role.MEMBER)


@pytest.fixture
def stranger(program: RunningProgram) -> RunningProgram:
    return RunningProgram(program.program, program.sandbox, Identity("chat", "U7", "team"), "Somebody")


async def code_of(person: RunningProgram) -> str:
    told = re.search(r"/start (\S+)", await person.ask("/link"))
    assert told
    return told[1]


def later(program: RunningProgram, span: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the program live so much later."""
    moment = datetime.now(UTC) + span
    monkeypatch.setattr(program.program.process.links, "_clock", lambda: moment)


async def recorded(program: RunningProgram) -> str:
    """All lines and errors of the audit trail."""
    return "\n".join(f"{entry.line} {entry.error_code}" for entry in await program.program.process.audit.last(100))


@pytest.mark.parametrize("line", ["/start {}", "/link {}", "start {}", "/start@chatops_bot {}", "/START '{}'"])
async def test_a_stranger_with_a_code_becomes_the_person_who_made_it(
    bob: RunningProgram, stranger: RunningProgram, line: str
) -> None:
    reply = await stranger.say(line.format(await code_of(bob)))
    assert "I know you here now: you are Bob" in plain_text(reply)
    assert await stranger.person() == await bob.person()
    await stranger.ask("/queue create")
    assert "telegram" not in await stranger.ask("/home")


async def test_a_code_is_good_once_and_has_the_form_that_links_take(
    bob: RunningProgram, stranger: RunningProgram
) -> None:
    codes = [await code_of(bob) for _ in range(20)]
    assert len(set(codes)) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{10,63}", code) and "--" not in code for code in codes)
    assert await stranger.error_code(f"/start {codes[0]}") == "wrong_link_code", "a newer one was made"
    await stranger.ask(f"/start {codes[-1]}")
    third = RunningProgram(stranger.program, stranger.sandbox, Identity("chat", "U8", "team"), "Third")
    assert await third.error_code(f"/start {codes[-1]}") == "wrong_link_code"


async def test_of_many_who_say_a_code_at_once_one_is_let_in(bob: RunningProgram) -> None:
    code = await code_of(bob)
    crowd = [
        RunningProgram(bob.program, bob.sandbox, Identity("chat", f"C{number}", "team"), "Crowd")
        for number in range(8)
    ]
    replies = await asyncio.gather(*(person.say(f"/start {code}") for person in crowd))
    assert sum(reply.outcome is Outcome.DONE for reply in replies) == 1


async def test_a_code_expires(
    bob: RunningProgram, stranger: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await code_of(bob)
    later(bob, timedelta(minutes=10, seconds=1), monkeypatch)
    assert await stranger.error_code(f"/start {code}") == "wrong_link_code"


async def test_after_five_wrong_codes_even_the_right_one_is_not_tried_for_a_while(
    bob: RunningProgram, stranger: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        assert await stranger.error_code(f"/start guess{number}") == "wrong_link_code"
    code = await code_of(bob)
    for _ in range(3):
        assert await stranger.error_code(f"/start {code}") == "too_many_link_codes"
    other = RunningProgram(bob.program, bob.sandbox, Identity("chat", "U9", "team"), "Other")
    assert await other.error_code("/start wrong") == "wrong_link_code", "others may still try"
    later(bob, timedelta(minutes=10, seconds=1), monkeypatch)
    await stranger.ask(f"/start {await code_of(bob)}")


async def test_a_known_person_who_guesses_is_limited_too(bob: RunningProgram) -> None:
    codes = [await bob.error_code("/start wrong") for _ in range(7)]
    assert codes == ["wrong_link_code"] * 5 + ["too_many_link_codes"] * 2


async def test_neither_the_record_nor_the_log_nor_the_database_has_a_code(
    bob: RunningProgram, stranger: RunningProgram, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = await code_of(bob)
    for line in (
        "/start '{}",
        "/start {} more",
        "'/start' {} '",
        "\u200b/start {} more",
        "/st\\art {} more",
        "/link@bot {} more",
        "/start {}",
    ):
        await stranger.say(line.format(code))
        await bob.say(line.format(code))
    assert code not in await recorded(bob)
    assert "/start …" in await recorded(bob)
    assert code not in caplog.text
    with sqlite3.connect(tmp_path / "chatops.db") as database:
        assert code not in "\n".join(database.iterdump())


async def test_a_stranger_s_other_lines_do_nothing_and_tell_him_whom_to_ask(
    program: RunningProgram, stranger: RunningProgram
) -> None:
    program.sandbox.requests.clear()
    for line in (
        "/start",
        "/link",
        "/unlink",
        "/home",
        "/help",
        "/find x",
        "/start a b",
        "/start 'x",
        "/watch",
        "",
    ):
        reply = await stranger.say(line)
        assert plain_text(reply) == f"I do not know you yet. {UNKNOWN}", line
    assert program.sandbox.requests.names() == []
    assert await stranger.person() is None


async def test_where_nobody_is_an_admin_a_stranger_is_told_of_none(sandbox: Sandbox, tmp_path: Path) -> None:
    async with running_program(sandbox, tmp_path / "other") as fresh:
        stranger = RunningProgram(fresh.program, sandbox, Identity("chat", "U7", "team"), "Somebody")
        assert "Ask an admin to let you in" in plain_text(await stranger.say("/find"))


async def test_who_is_known_as_another_is_not_moved_and_the_code_stays_good(
    program: RunningProgram, bob: RunningProgram, stranger: RunningProgram
) -> None:
    code = await code_of(bob)
    assert await program.error_code(f"/start {code}") == "known_as_another"
    assert "I know you here now: you are Bob" in await bob.ask(f"/start {await code_of(bob)}")
    await stranger.ask(f"/start {await code_of(bob)}")


async def test_a_code_is_not_shown_where_others_read(bob: RunningProgram) -> None:
    dispatcher = Dispatcher(bob.program.process, all_commands())
    message = IncomingMessage(bob.identity, bob.name, bob.conversation, "/link", in_public=True)
    reply: Reply = await dispatcher.handle(message)
    assert plain_text(reply) == "Others can read here; send /link to me in a direct message."


async def test_an_identity_can_be_forgotten_but_not_the_last(
    bob: RunningProgram, stranger: RunningProgram
) -> None:
    assert await bob.error_code("/unlink") == "last_identity"
    await stranger.ask(f"/start {await code_of(bob)}")
    assert "no longer know you here" in await stranger.ask("/unlink")
    assert await stranger.person() is None
    assert await bob.person() is not None
    assert await bob.error_code("/unlink") == "last_identity"


async def test_start_shows_the_steps_that_a_person_may_take(program: RunningProgram, sandbox: Sandbox) -> None:
    steps = buttons(await program.say("/start"))
    assert list(steps.values()) == ["/find", "/clone", "/set", "/enqueue", "/home", "/help"]
    viewer = await program.introduce(sandbox.carol, Role.VIEWER)
    assert list(buttons(await viewer.say("/start")).values()) == ["/find", "/home", "/help"]
