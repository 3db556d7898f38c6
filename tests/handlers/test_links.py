"""Linked accounts: a code made on one platform and sent on another, and what unknown users cannot do."""

import asyncio
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Identity, Role
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from tests.support.program import RunningProgram, get_buttons, run_program, to_plain_text

UNKNOWN = "Ask alice to add you, with this id: chat:team:U7"


@pytest.fixture
async def program(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[RunningProgram]:
    async with run_program(sandbox, tmp_path) as running:
        await running.ask("/whoami")
        yield running


@pytest.fixture
async def bob(program: RunningProgram) -> RunningProgram:
    return await program.add_person(program.sandbox.bob, Role.MEMBER)


@pytest.fixture
def unknown_user(program: RunningProgram) -> RunningProgram:
    return RunningProgram(program.program, program.sandbox, Identity("chat", "U7", "team"), "Somebody")


async def request_link_code(person: RunningProgram) -> str:
    match = re.search(r"/start (\S+)", await person.ask("/link"))
    assert match
    return match[1]


def advance_clock(program: RunningProgram, duration: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move the clock of the linking service forward."""
    moment = datetime.now(UTC) + duration
    monkeypatch.setattr(program.program.process.links, "_clock", lambda: moment)


async def read_audit_trail(program: RunningProgram) -> str:
    """Return all commands and error codes of the audit trail."""
    return "\n".join(
        f"{entry.command} {entry.error_code}" for entry in await program.program.process.audit.list_recent(100)
    )


@pytest.mark.parametrize("line", ["/start {}", "/link {}", "start {}", "/start@chatops_bot {}", "/START '{}'"])
async def test_code_links_unknown_user_to_its_creator(
    bob: RunningProgram, unknown_user: RunningProgram, line: str
) -> None:
    reply = await unknown_user.send(line.format(await request_link_code(bob)))
    assert "This account is linked. You're Bob" in to_plain_text(reply)
    assert await unknown_user.find_person() == await bob.find_person()
    await unknown_user.ask("/queue create")
    assert "telegram" not in await unknown_user.ask("/home")


async def test_code_works_once_and_fits_deep_links(bob: RunningProgram, unknown_user: RunningProgram) -> None:
    codes = [await request_link_code(bob) for _ in range(20)]
    assert len(set(codes)) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{10,63}", code) and "--" not in code for code in codes)
    assert await unknown_user.send_for_error_code(f"/start {codes[0]}") == "wrong_link_code", (
        "a newer one was made"
    )
    await unknown_user.ask(f"/start {codes[-1]}")
    third = RunningProgram(unknown_user.program, unknown_user.sandbox, Identity("chat", "U8", "team"), "Third")
    assert await third.send_for_error_code(f"/start {codes[-1]}") == "wrong_link_code"


async def test_only_one_of_concurrent_users_is_linked(bob: RunningProgram) -> None:
    code = await request_link_code(bob)
    crowd = [
        RunningProgram(bob.program, bob.sandbox, Identity("chat", f"C{number}", "team"), "Crowd")
        for number in range(8)
    ]
    replies = await asyncio.gather(*(person.send(f"/start {code}") for person in crowd))
    assert sum(reply.outcome is Outcome.DONE for reply in replies) == 1


async def test_code_expires(
    bob: RunningProgram, unknown_user: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await request_link_code(bob)
    advance_clock(bob, timedelta(minutes=10, seconds=1), monkeypatch)
    assert await unknown_user.send_for_error_code(f"/start {code}") == "wrong_link_code"


async def test_five_wrong_codes_lock_out_the_sender(
    bob: RunningProgram, unknown_user: RunningProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        assert await unknown_user.send_for_error_code(f"/start guess{number}") == "wrong_link_code"
    code = await request_link_code(bob)
    for _ in range(3):
        assert await unknown_user.send_for_error_code(f"/start {code}") == "too_many_link_codes"
    other = RunningProgram(bob.program, bob.sandbox, Identity("chat", "U9", "team"), "Other")
    assert await other.send_for_error_code("/start wrong") == "wrong_link_code", "others may still try"
    advance_clock(bob, timedelta(minutes=10, seconds=1), monkeypatch)
    await unknown_user.ask(f"/start {await request_link_code(bob)}")


async def test_known_user_is_locked_out_too(bob: RunningProgram) -> None:
    codes = [await bob.send_for_error_code("/start wrong") for _ in range(7)]
    assert codes == ["wrong_link_code"] * 5 + ["too_many_link_codes"] * 2


async def test_code_is_in_no_audit_trail_log_or_database(
    bob: RunningProgram, unknown_user: RunningProgram, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = await request_link_code(bob)
    for line in (
        "/start '{}",
        "/start {} more",
        "'/start' {} '",
        "\u200b/start {} more",
        "/st\\art {} more",
        "/link@bot {} more",
        "/start {}",
    ):
        await unknown_user.send(line.format(code))
        await bob.send(line.format(code))
    assert code not in await read_audit_trail(bob)
    assert "/start …" in await read_audit_trail(bob)
    assert code not in caplog.text
    with sqlite3.connect(tmp_path / "chatops.db") as database:
        assert code not in "\n".join(database.iterdump())


async def test_unknown_user_is_given_an_admin_to_ask(
    program: RunningProgram, unknown_user: RunningProgram
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
        reply = await unknown_user.send(line)
        assert to_plain_text(reply) == f"You don't have access yet. {UNKNOWN}", line
    assert program.sandbox.requests.list_endpoints() == []
    assert await unknown_user.find_person() is None


async def test_unknown_user_without_admin_gets_generic_advice(sandbox: Sandbox, tmp_path: Path) -> None:
    async with run_program(sandbox, tmp_path / "other") as fresh:
        unknown_user = RunningProgram(fresh.program, sandbox, Identity("chat", "U7", "team"), "Somebody")
        assert "Ask an admin to add you" in to_plain_text(await unknown_user.send("/find"))


async def test_linked_user_is_not_moved_and_code_stays_valid(
    program: RunningProgram, bob: RunningProgram, unknown_user: RunningProgram
) -> None:
    code = await request_link_code(bob)
    assert await program.send_for_error_code(f"/start {code}") == "identity_taken"
    assert "This account is linked. You're Bob" in await bob.ask(f"/start {await request_link_code(bob)}")
    await unknown_user.ask(f"/start {await request_link_code(bob)}")


async def test_code_is_not_shown_in_public(bob: RunningProgram) -> None:
    dispatcher = Dispatcher(bob.program.process, build_registry())
    message = IncomingMessage(bob.identity, bob.name, bob.conversation, "/link", is_visible_to_others=True)
    reply: Reply = await dispatcher.handle(message)
    assert to_plain_text(reply) == "Others can read this chat. Send /link to the bot in a direct message."


async def test_last_identity_cannot_be_unlinked(bob: RunningProgram, unknown_user: RunningProgram) -> None:
    assert await bob.send_for_error_code("/unlink") == "last_identity"
    await unknown_user.ask(f"/start {await request_link_code(bob)}")
    assert "no longer linked" in await unknown_user.ask("/unlink")
    assert await unknown_user.find_person() is None
    assert await bob.find_person() is not None
    assert await bob.send_for_error_code("/unlink") == "last_identity"


async def test_start_shows_only_allowed_steps(program: RunningProgram, sandbox: Sandbox) -> None:
    steps = get_buttons(await program.send("/start"))
    assert list(steps.values()) == ["/find", "/clone", "/set", "/enqueue", "/home", "/help"]
    viewer = await program.add_person(sandbox.carol, Role.VIEWER)
    assert list(get_buttons(await viewer.send("/start")).values()) == ["/find", "/home", "/help"]
