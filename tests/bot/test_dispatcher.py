"""The funnel: whatever happens, a message gets one reply and one entry in the audit trail."""

import asyncio
import logging
import re
import sqlite3
from pathlib import Path

import pytest

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.audit import AuditEntry
from clearml_chatops.models.messages import Conversation, IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Reply
from clearml_chatops.sandbox import Sandbox
from clearml_chatops.sandbox.demo_experiments import add_demo_experiments
from clearml_chatops.storage import database as storage_database
from tests.support.program import RunningProgram, plain_text, running_program

FAULTY = CommandFamily("Faulty")


@FAULTY.command("divide", examples=("/divide",))
async def divide(context: Context) -> Reply:  # the context is part of what a handler is
    """Divide by zero."""
    return Reply.of(str(1 // len("")))


@FAULTY.command("hang", examples=("/hang",))
async def hang(context: Context) -> Reply:
    """Never end."""
    await asyncio.Event().wait()
    return Reply.of("never")


def message(program: RunningProgram, line: str, *, platform: str = "terminal") -> IncomingMessage:
    return IncomingMessage(program.identity, program.name, Conversation(platform, "1"), line)


async def last_entry(program: RunningProgram) -> AuditEntry:
    return (await program.program.process.audit.last(1))[0]


async def test_every_message_leaves_one_entry_with_who_where_what_and_how_it_ended(
    program: RunningProgram, sandbox: Sandbox
) -> None:
    baseline = add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    for line in ("/show baseline", "/show resnet50", "/fnd", "/show nothing_like_it", ""):
        await program.say(line)
    entries = list(reversed(await program.program.process.audit.last(10)))
    assert [(entry.line, entry.outcome.value, entry.error_code) for entry in entries] == [
        ("/show baseline", "done", ""),
        ("/show resnet50", "asked", "ambiguous_experiment"),
        ("/fnd", "refused", "unknown_command"),
        ("/show nothing_like_it", "refused", "experiment_not_found"),
        ("", "done", ""),
    ]
    person = await program.person()
    assert person
    assert {(entry.identity, entry.person_id, entry.conversation) for entry in entries} == {
        ("terminal:alice", person.id, "terminal:alice")
    }
    assert entries[0].experiment_id == baseline["id"]


async def test_what_nobody_foresaw_gets_an_incident_id_that_the_log_holds(
    program: RunningProgram, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = Dispatcher(program.program.process, Registry([FAULTY]))
    reply = await dispatcher.handle(message(program, "/divide"))
    told = re.search(r"incident id ([0-9a-f]{8})", plain_text(reply))
    assert told
    assert reply.outcome is Outcome.BROKEN
    assert "ZeroDivisionError" not in plain_text(reply)
    record = next(record for record in caplog.records if told[1] in record.getMessage())
    assert record.levelno == logging.ERROR
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    entry = await last_entry(program)
    assert (entry.error_code, entry.incident, entry.outcome) == ("unexpected", told[1], Outcome.BROKEN)


async def test_each_incident_has_an_id_of_its_own(program: RunningProgram) -> None:
    dispatcher = Dispatcher(program.program.process, Registry([FAULTY]))
    replies = {plain_text(await dispatcher.handle(message(program, "/divide"))) for _ in range(3)}
    assert len(replies) == 3


async def test_a_command_can_be_cancelled(program: RunningProgram) -> None:
    """Ctrl-C at the terminal ends what hangs; it is no incident."""
    dispatcher = Dispatcher(program.program.process, Registry([FAULTY]))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await dispatcher.handle(message(program, "/hang"))


async def test_the_audit_trail_being_locked_does_not_lose_the_answer(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storage_database, "_BUSY_TIMEOUT_MILLISECONDS", 100)
    async with running_program(sandbox, tmp_path) as program:
        await program.ask("/whoami")
        other = sqlite3.connect(tmp_path / "chatops.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            assert "role: admin" in await program.ask("/whoami")
            assert "audit trail cannot be written" in caplog.text
            assert "/whoami" in caplog.text, "the log then holds what the trail does not"
            reply = await program.say("/queue create")
            assert "cannot be opened" in plain_text(reply)
            assert "locked" in plain_text(reply)
        finally:
            other.close()
        await program.ask("/whoami")
        assert (await last_entry(program)).outcome is Outcome.DONE


async def test_a_database_that_is_gone_is_one_clear_error(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_program(sandbox, tmp_path) as program:
        await program.ask("/whoami")
        other = sqlite3.connect(tmp_path / "chatops.db", isolation_level=None)
        other.execute("ALTER TABLE people RENAME TO persons")
        other.close()
        reply = await program.say("/whoami")
        assert reply.outcome is Outcome.REFUSED
        assert "DATABASE_URL" in plain_text(reply)


async def test_terminal_commands_exist_only_at_the_terminal(program: RunningProgram, sandbox: Sandbox) -> None:
    bob = await program.introduce(sandbox.bob, Role.ADMIN)
    assert await bob.error_code("/wait") == "unknown_command"
    assert await program.error_code("/wait") == "no_current_experiment"
    assert "/wait" not in await bob.ask("/help")


async def test_a_command_is_found_in_all_the_ways_it_is_written(program: RunningProgram) -> None:
    for line in (
        "/queue list",
        "/queue_list",
        "queue list",
        "/QUEUE List",
        "/queue@chatops_bot list",
        "  /queue  list",
    ):
        assert "default" in await program.ask(line), line


async def test_commands_beside_each_other_do_not_mix(program: RunningProgram, sandbox: Sandbox) -> None:
    add_demo_experiments(sandbox.state, alice=sandbox.alice, bob=sandbox.bob)
    names = [f"copy {number}" for number in range(20)]
    replies = await asyncio.gather(*(program.say(f"/clone baseline {name}") for name in names))
    made = [sandbox.state.tasks[reply.experiment_id]["name"] for reply in replies]
    assert made == names
    assert await program.person() is not None, "the first messages came at once, and made one person of one"
    assert len(await program.program.process.audit.last(50)) == 20


def test_every_command_is_in_one_family() -> None:
    registry = all_commands()
    assert len(list(registry)) == sum(len(family.commands) for family in registry.families)
