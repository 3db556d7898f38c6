"""The table of intents, and the answers to verbs and free text."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from clearml_chatops.bot.dispatcher import Dispatcher
from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.intents import ENDING_COMMANDS, INTENTS, Intent
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.handlers.unknown_commands import UnknownLine, build_unknown_command_reply, is_for_bot
from clearml_chatops.models.errors import UnknownCommandError
from clearml_chatops.models.messages import IncomingMessage
from clearml_chatops.models.people import Role
from clearml_chatops.models.replies import Outcome, Reply, Text, Tone
from tests.support.program import RunningProgram, get_buttons, to_plain_text

_REGISTRY = build_registry()
_COMMANDS = [command for command in _REGISTRY if not command.terminal_only]


def _answer(line: str, *, role: Role = Role.ADMIN) -> Reply:
    words = split_words(line)
    with pytest.raises(UnknownCommandError):
        _REGISTRY.find([word.text for word in words], terminal=False)
    allowed = [command for command in _COMMANDS if command.role <= role]
    return build_unknown_command_reply(UnknownLine(words, _REGISTRY, allowed))


def _offer(line: str, *, role: Role = Role.ADMIN) -> list[str]:
    return list(get_buttons(_answer(line, role=role)).values())


def test_table_names_existing_commands_and_each_word_once() -> None:
    for intent in INTENTS:
        assert intent.answer.endswith("."), intent
        assert len(intent.offers) >= 2
        for offer in intent.offers:
            assert _REGISTRY.get(offer.command), offer
            assert offer.label[0].isupper()
    words = [word for intent in INTENTS for word in intent.words]
    assert sorted(words) == sorted(set(words))
    assert all(_REGISTRY.get(name) for name in ENDING_COMMANDS)


async def test_no_verb_runs_anything(program: RunningProgram) -> None:
    """Only a press runs a command: here every handler would fail the test."""
    called: list[str] = []

    def record(name: str) -> Callable[..., Awaitable[Reply]]:
        async def handler(*_: object, **__: object) -> Reply:
            called.append(name)
            return Reply.of("done")

        return handler

    families = [
        CommandFamily(family.title, [replace(item, handler=record(item.name)) for item in family.commands])
        for family in _REGISTRY.families
    ]
    dispatcher = Dispatcher(program.program.process, Registry(families))
    known = {command.name.split()[0] for command in _REGISTRY}
    for word in sorted({word for intent in INTENTS for word in intent.words} - known):
        line = f"/{word} 4f2a --yes"
        message = IncomingMessage(program.identity, program.name, program.conversation, line)
        reply = await dispatcher.handle(message)
        assert reply.outcome is Outcome.REFUSED, line
        assert get_buttons(reply), line
    assert called == []


@pytest.mark.parametrize("intent", INTENTS)
def test_each_verb_has_buttons(intent: Intent) -> None:
    known = {command.name.split()[0] for command in _REGISTRY}
    for word in intent.words - known:
        assert _offer(f"/{word}"), word
        assert _offer(f"please {word} it for us now"), word


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("/status", "/show"),
        ("/status 4f2a", "/show 4f2a"),
        ("/list", "/find"),
        ("/list status=failed", "/find status=failed"),
        ("/tasks resnet", "/find resnet"),
        ("/experiments mine", "/find mine"),
        ("/run baseline", "/clone baseline"),
        ("/stop 4f2a", "/abort 4f2a"),
        ("/kill", "/abort"),
        ("/kill 4f2a", "/abort 4f2a"),
        ("/Kill 4f2a", "/abort 4f2a"),
        ("/kill@lab_bot 4f2a", "/abort 4f2a"),
        ("/kil 4f2a", "/abort 4f2a"),
        ("/kill my run", "/abort"),
        ("/cancel “two words”", "/abort 'two words'"),
        ("/delete 4f2a", "/archive 4f2a"),
        ("/queues", "/queue"),
        ("/queues gpu_queue", "/queue queue=gpu_queue"),
        ("/workers", "/worker"),
        ("/metrics 4f2a val/acc", "/plot 4f2a val/acc"),
        ("/graph", "/plot"),
        ("/terminate 4f2a", "/abort 4f2a"),
        ("/duplicate 4f2a new name", "/clone 4f2a new name"),
        ("/hyperparameters lr", "/params lr"),
        ("/ls resnet project=vision", "/find resnet project=vision"),
        ("kill 4f2a", "/abort 4f2a"),
        ("stop it", "/abort"),
        ("enqeue 4f2a front", "/enqueue 4f2a front"),
        ("/enqeue 4f2a queue=gpu_queue", "/enqueue 4f2a queue=gpu_queue"),
        ("/worker kill alice_queue", "/worker stop alice_queue"),
        ("/worker status", "/worker"),
        ("/worker alice_queue restart", "/worker restart alice_queue"),
        ("/worker stat 0", "/worker start 0"),
        ("/queue remove old_queue", "/queue delete old_queue"),
        ("/queue add gpu_queue", "/queue create gpu_queue"),
        ("/queue alice_queue", "/queue queue=alice_queue"),
        ("/list queues", "/queue list"),
        ("/stop worker alice_queue", "/worker stop alice_queue"),
        ("/create queue gpu_queue", "/queue create gpu_queue"),
        ("/alert remove 3", "/alert off 3"),
        ("/gpus list", "/gpus"),
    ],
)
def test_verbs_are_answered_by_meaning_with_the_rest_of_the_line(line: str, first: str) -> None:
    assert _offer(line)[0] == first
    assert len(_offer(line)) <= 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hello", {"/find", "/home", "/help"}),
        ("Hi there!", {"/find", "/home", "/help"}),
        ("how do I start training?", {"/clone", "/enqueue", "/worker start"}),
        ("what is running now?", {"/home", "/find", "/worker"}),
        ("my run failed, why?", {"/log", "/check", "/retry"}),
        ("when will my experiment start?", {"/queue", "/show", "/watch"}),
        ("is there a free gpu?", {"/gpus", "/gpus watch", "/worker start"}),
        ("how can I change the learning rate?", {"/set", "/container", "/script"}),
        ("please stop my run right now", {"/abort", "/worker stop", "/dequeue"}),
        ("tell us something nice about kangaroos", {"/home", "/find", "/queue"}),
        ("resnet50", {"/find resnet50", "/find", "/home"}),
        ("xyzzy plugh frotz blorb", {"/find", "/home", "/help"}),
    ],
)
def test_free_text_gets_the_three_likeliest_commands(line: str, expected: set[str]) -> None:
    reply = _answer(line)
    assert set(_offer(line)) == expected
    assert isinstance(reply.blocks[0], Text)
    assert reply.blocks[0].tone is Tone.PLAIN
    assert len(reply.blocks[0].text) <= 100


def test_commands_of_other_roles_are_not_offered() -> None:
    assert "/queue delete x" in _offer("/delete x")
    assert "/queue delete x" not in _offer("/delete x", role=Role.MEMBER)
    assert _offer("/kill 4f2a", role=Role.VIEWER) == []
    assert _offer("how do I start training?", role=Role.VIEWER)


def test_unrelated_word_has_no_buttons() -> None:
    reply = _answer("/xyzzyx")
    assert to_plain_text(reply) == "No command named “xyzzyx”. See all with /help."


@pytest.mark.parametrize("text", ["/find x", "log 20", "/kill x", "kill it", "/enqeue"])
def test_command_without_the_name_of_the_bot_is_for_it(text: str) -> None:
    assert is_for_bot(text, _REGISTRY)


@pytest.mark.parametrize("text", ["/hug Bob", "thanks", "nice, 0.91!", "hello Bob", "why is it slow again?", ""])
def test_prose_between_people_is_not_for_the_bot(text: str) -> None:
    assert not is_for_bot(text, _REGISTRY)


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("show me my runs", "/find"),
        ("help me please", "/help"),
        ("find us a free gpu", "/gpus"),
        ("start a training on two GPUs?", "/clone"),
        ("start training", "/clone"),
        ("Start my run", "/enqueue"),
        ("name the queues that are free?", "/queue list"),
    ],
)
async def test_prose_that_begins_with_a_command_is_free_text(
    program: RunningProgram, line: str, first: str
) -> None:
    reply = await program.send(line)
    assert len(get_buttons(reply)) == 3
    assert first in get_buttons(reply).values()


@pytest.mark.parametrize("line", ["show last", "help set", "find please_work", "/find me", "queue list"])
async def test_command_without_a_slash_is_no_prose(program: RunningProgram, line: str) -> None:
    assert "See all commands with /help." not in to_plain_text(await program.send(line))
