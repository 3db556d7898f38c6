"""An option that a command doesn't have: the commands that have it are offered, with the line filled in."""

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.option_alternatives import list_alternatives
from clearml_chatops.models.errors import UsageError
from tests.support.program import RunningProgram, get_buttons

_REGISTRY = build_registry()


def _list_lines(line: str) -> list[str]:
    words = split_words(line)
    command, used = _REGISTRY.find([word.text for word in words], terminal=False)
    with pytest.raises(UsageError):
        bind(command, words[used:])
    commands = [item for item in _REGISTRY if not item.terminal_only]
    return [button.command for button in list_alternatives(command, words[used:], commands)]


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("/clone x args.lr=0.3", "/rerun x args.lr=0.3"),
        ("/clone x new name args.lr=0.3 Args/epochs=2", "/rerun x new name args.lr=0.3 Args/epochs=2"),
        ('/clone “my model” args.name="a b"', "/rerun 'my model' args.name='a b'"),
        ("/enqueue x args.lr=0.3", "/rerun x args.lr=0.3"),
        ("/retry x args.lr=0.3", "/rerun x args.lr=0.3"),
        ("/clone x queue=gpu_queue", "/rerun x queue=gpu_queue"),
        ("/enqueue x name=second", "/rerun x second"),
        ("/enqueue x image=a:1", "/rerun x image=a:1"),
        ("/show x lines=5", "/log x lines=5"),
        ("/worker start gpus=0 run=wait", "/worker restart gpus=0 run=wait"),
        ("/worker start args.x=1", "/set args.x=1"),
        ("/enqueue x quue=gpu_queue", "/enqueue x queue=gpu_queue"),
        ("/worker start gups=0 docker", "/worker start gpus=0 docker"),
        ("/enqueue x --frce", "/enqueue x --force"),
    ],
)
def test_line_is_filled_in_for_another_command(line: str, first: str) -> None:
    lines = _list_lines(line)
    assert lines[0] == first
    assert len(lines) <= 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/clone x gpus=0", ["/clone x", "/worker start gpus=0", "/worker restart gpus=0"]),
        ("/worker start queue=fast args.x=1", ["/worker start queue=fast", "/set args.x=1"]),
        ("/log x worker=alice_queue", ["/log x", "/worker log worker=alice_queue"]),
    ],
)
def test_line_is_shared_out_if_no_command_takes_all(line: str, expected: list[str]) -> None:
    assert _list_lines(line)[: len(expected)] == expected


@pytest.mark.parametrize("line", ["/find nothing=1", "/enqueue x zzz=1", "/enqueue x --yes", "/start gpus=0"])
def test_nothing_is_offered_where_nothing_fits(line: str) -> None:
    assert _list_lines(line) == []


async def test_alternatives_are_buttons_for_those_who_may_use_them(program: RunningProgram) -> None:
    reply = await program.send("/clone baseline args.lr=0.3")
    assert get_buttons(reply) == {"/rerun baseline args.lr=0.3": "/rerun baseline args.lr=0.3"}
