"""Binding of words to the arguments of a handler, with a family of commands made for these tests."""

from datetime import timedelta
from typing import Any

import pytest

from clearml_chatops.handlers.arguments import (
    ExperimentReference,
    Flag,
    FreeText,
    LineCount,
    ParameterValues,
    QueueName,
    SingleWord,
    Timeout,
    WordFlag,
    Words,
)
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily, Registry
from clearml_chatops.models.errors import InvalidValueError, UsageError
from clearml_chatops.models.replies import Reply

_FAMILY = CommandFamily("Trial")


@_FAMILY.command("view", examples=("/view on two GPUs",))
async def _view(context: Context, experiment: ExperimentReference = "", *, front: WordFlag = False) -> Reply:
    """View."""
    raise NotImplementedError


@_FAMILY.command("put", examples=("/put 4f2a",))
async def _put(
    context: Context,
    experiment: ExperimentReference = "",
    lines: LineCount = 20,
    *,
    queue: QueueName = "",
    within: Timeout = timedelta(seconds=60),
    front: WordFlag = False,
    yes: Flag = False,
) -> Reply:
    """Put."""
    raise NotImplementedError


@_FAMILY.command("copy", examples=("/copy 4f2a name",))
async def _copy(
    context: Context,
    experiment: ExperimentReference,
    name: FreeText = "",
    *,
    project: SingleWord = "",
    mine: WordFlag = False,
) -> Reply:
    """Copy."""
    raise NotImplementedError


@_FAMILY.command("again", examples=("/again 4f2a",))
async def _again(
    context: Context,
    experiment: ExperimentReference,
    name: FreeText = "",
    values: ParameterValues = (),
    *,
    queue: QueueName = "",
) -> Reply:
    """Again."""
    raise NotImplementedError


@_FAMILY.command("label", examples=("/label best",))
async def _label(context: Context, tags: Words) -> Reply:
    """Label."""
    raise NotImplementedError


def _bind_line(line: str) -> dict[str, Any]:
    registry = Registry([_FAMILY])
    words = split_words(line)
    command, used = registry.find([word.text for word in words], terminal=True)
    return bind(command, words[used:])


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("/put", {}),
        ("/put 4f2a", {"experiment": "4f2a"}),
        ("/put 4f2a 100", {"experiment": "4f2a", "lines": 100}),
        ("/put queue=gpu_queue 4f2a", {"experiment": "4f2a", "queue": "gpu_queue"}),
        ("/put --queue=gpu_queue", {"queue": "gpu_queue"}),
        ("/put QUEUE=gpu_queue", {"queue": "gpu_queue"}),
        ('/put --queue="two words"', {"queue": "two words"}),
        ("/put queue='two words'", {"queue": "two words"}),
        ("/put queue=a=b", {"queue": "a=b"}),
        ("/put queue=", {"queue": ""}),
        ("/put within=5m", {"within": timedelta(minutes=5)}),
        ("/put queue=a queue=a", {"queue": "a"}),
        ("/put --front", {"front": True}),
        ("/put front --front", {"front": True}),
        ("/put front", {"front": True}),
        ("/put Front 4f2a", {"front": True, "experiment": "4f2a"}),
        ('/put "front"', {"experiment": "front"}),
        ("/put yes", {"experiment": "yes"}),
        ("/view front on two GPUs", {"front": True, "experiment": "on two GPUs"}),
        ("/put --yes", {"yes": True}),
        ("/put —yes", {"yes": True}),
        ('/put "--yes"', {"experiment": "--yes"}),
        ('/put "queue=x"', {"experiment": "queue=x"}),
        ("/put --", {"experiment": "--"}),
        ("/put -1", {"experiment": "-1"}),
        ("/copy 4f2a on two GPUs", {"experiment": "4f2a", "name": "on two GPUs"}),
        ("/copy 4f2a on project=vision two", {"experiment": "4f2a", "name": "on two", "project": "vision"}),
        ("/copy 4f2a 'lr=0.1 run'", {"experiment": "4f2a", "name": "lr=0.1 run"}),
        ("/copy 4f2a mine", {"experiment": "4f2a", "mine": True}),
        ('/copy 4f2a "all mine"', {"experiment": "4f2a", "name": "all mine"}),
        ("/again last", {"experiment": "last", "values": ()}),
        (
            "/again last a name args.gpus=2,3 Args/lr=0.1 queue=q",
            {
                "experiment": "last",
                "name": "a name",
                "values": (("args.gpus", "2,3"), ("Args/lr", "0.1")),
                "queue": "q",
            },
        ),
        ('/again last args.note="two words"', {"experiment": "last", "values": (("args.note", "two words"),)}),
        ("/again last args.opts=--fast", {"experiment": "last", "values": (("args.opts", "--fast"),)}),
        ("/label best -wip 'two words'", {"tags": ("best", "-wip", "two words")}),
    ],
)
def test_line_is_bound_to_arguments(line: str, arguments: dict[str, object]) -> None:
    assert _bind_line(line) == arguments


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/put quue=x", "/put has no option “quue”. Did you mean queue=…?"),
        ("/put --quue=x", "/put has no option “quue”. Did you mean queue=…?"),
        ("/put --QUUE=x", "Did you mean queue=…?"),
        ("/put --frnt", "Did you mean front?"),
        ("/put --yess", "Did you mean --yes?"),
        ('/put --quue="x y"', "has no option “quue”"),
        ("/put --zzzzzz", "/put has no option “zzzzzz”. Usage"),
        ("/put zzzzzz=1", "/put has no option “zzzzzz”. Usage"),
        ("/copy 4f2a projct=x", "Did you mean project=…?"),
        ("/copy 4f2a PROJCT=x", "Did you mean project=…?"),
        ("/again last --new args.x=1", "/again has no option “new”."),
        ("/put --queue", "queue= needs a value"),
        ("/put --front=yes", "--front takes no value"),
        ("/put front=yes", "--front takes no value"),
        ("/copy", "/copy needs <experiment>."),
        ("/copy project=x", "/copy needs <experiment>."),
        ("/label", "/label needs <tags>."),
        ("/put queue=a queue=b", "queue= is there twice. Use it once."),
        ("/put --queue=a 4f2a queue=b", "queue= is there twice"),
        ("/put within=5m within=6m", "within= is there twice"),
        ("/copy 4f2a project=x name project='y z'", "project= is there twice"),
        ("/put a 1 c", "/put can't use “c”. Put values with spaces in quotes."),
    ],
)
def test_misuse_is_refused_with_usage(line: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        _bind_line(line)
    assert expected in str(caught.value)
    command = Registry([_FAMILY]).get(line.split(maxsplit=1)[0])
    assert command is not None
    assert str(caught.value).endswith(f"Usage: {command.usage}")


@pytest.mark.parametrize(
    ("line", "argument"), [("/put 4f2a many", "lines"), ("/put 4f2a 0", "lines"), ("/put within=soon", "within")]
)
def test_invalid_argument_is_refused_by_name(line: str, argument: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        _bind_line(line)
    assert caught.value.values["name"] == argument


def test_usage_shows_every_argument() -> None:
    usages = {command.name: command.usage for command in _FAMILY.commands}
    assert usages == {
        "view": "/view [experiment] [front]",
        "put": "/put [experiment] [lines] [queue=…] [within=…] [front] [--yes]",
        "copy": "/copy <experiment> [name…] [project=…] [mine]",
        "again": "/again <experiment> [name…] [section.name=value …] [queue=…]",
        "label": "/label <tags…>",
    }
