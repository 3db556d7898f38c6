"""Finding a command by what was typed."""

import pytest

from clearml_chatops.handlers.all_commands import all_commands
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily, ParameterKind, normal_name
from clearml_chatops.models.errors import UnknownCommandError
from clearml_chatops.models.replies import Reply


def _found(line: str, *, terminal: bool = False) -> tuple[str, int]:
    command, used = all_commands().find(line.split(" "), terminal=terminal)
    return command.name, used


@pytest.mark.parametrize(
    ("line", "name", "used"),
    [
        ("/find", "find", 1),
        ("find baseline", "find", 1),
        ("/FIND baseline", "find", 1),
        ("/find@our_bot baseline", "find", 1),
        ("/find @bob", "find", 1),
        ("/find ", "find", 1),
        ("/find _", "find", 1),
        ("/queue", "queue", 1),
        ("/queue list", "queue list", 2),
        ("/Queue Create", "queue create", 2),
        ("/queue create x", "queue create", 2),
        ("/queue_create x", "queue create", 1),
        ("/Queue_Create@our_bot x", "queue create", 1),
        ("/queue@our_bot create x", "queue create", 2),
        ("/worker_start", "worker start", 1),
        ("/worker start gpus=0", "worker start", 2),
        ("/queue queue=gpu_queue", "queue", 1),
        ("/queue --help", "queue", 1),
        ("/ find baseline", "find", 2),
    ],
)
def test_a_command_is_found_however_it_is_written(line: str, name: str, used: int) -> None:
    assert _found(line) == (name, used)


@pytest.mark.parametrize(
    ("line", "name", "meant", "offered"),
    [
        ("/fnd baseline", "fnd", "/find", "/help find"),
        ("/Enque", "enque", "/enqueue", "/help enqueue"),
        ("/queuelist", "queuelist", "/queue list", "/help queue list"),
        ("/queue creat gpu_queue", "queue creat", "/queue create", "/help queue create"),
        ("/queue LSIT", "queue LSIT", "/queue list", "/help queue list"),
        ("/worker stat", "worker stat", "/worker start", "/help worker start"),
    ],
)
def test_a_misspelt_command_or_subcommand_gets_the_nearest_one(
    line: str, name: str, meant: str, offered: str
) -> None:
    with pytest.raises(UnknownCommandError) as caught:
        _found(line)
    assert f"“{name}”. Did you mean {meant}?" in str(caught.value)
    assert caught.value.offers[0].command == offered


def test_a_word_like_no_command_gets_no_guess() -> None:
    with pytest.raises(UnknownCommandError) as caught:
        _found("/xyzzyx")
    assert "Did you mean" not in str(caught.value)
    assert "/help" in str(caught.value)
    assert caught.value.offers == ()


def test_a_terminal_only_command_is_found_in_the_terminal_and_neither_found_nor_offered_elsewhere() -> None:
    assert _found("/wait running", terminal=True) == ("wait", 1)
    with pytest.raises(UnknownCommandError) as caught:
        _found("/wait running")
    assert "/wait" not in str(caught.value)
    assert all("wait" not in offer.command for offer in caught.value.offers)


def test_subcommands_are_listed_by_their_second_words() -> None:
    registry = all_commands()
    queue = registry.get("/queue")
    assert queue is not None
    assert registry.subcommands(queue) == ["list", "create", "use", "move", "rename", "delete"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("/queue_create", "queue create"), ("/Queue   Create ", "queue create"), ("@bob", "@bob"), ("/", "")],
)
def test_names_are_normalised(typed: str, name: str) -> None:
    assert normal_name(typed) == name


def test_a_declaration_is_read_from_signature_and_docstring() -> None:
    family = CommandFamily("Trial")

    @family.command("put away", examples=("/put away box",))
    async def put_away(context: Context, what: str, where: str = "", *, force: bool = False) -> Reply:
        """Put a thing   away.

        Things lie about.
        Nobody likes it.

        Not even cats.

        Args:
            context: Nobody types it.
            what: The thing,
                with its lid.
            where: The place: any.
            force: Do not ask.
        """
        raise NotImplementedError

    (command,) = family.commands
    assert command.summary == "Put a thing away."
    assert command.description == "Things lie about. Nobody likes it.\n\nNot even cats."
    assert command.handler is put_away
    assert [(item.name, item.kind, item.required, item.description) for item in command.parameters] == [
        ("what", ParameterKind.POSITIONAL, True, "The thing, with its lid."),
        ("where", ParameterKind.POSITIONAL, False, "The place: any."),
        ("force", ParameterKind.FLAG, False, "Do not ask."),
    ]
    assert command.usage == "/put away <what> [where] [--force]"
    assert command.to_json() == {
        "name": "put away",
        "family": "Trial",
        "usage": command.usage,
        "summary": "Put a thing away.",
        "description": command.description,
        "permission": "member",
        "terminal_only": False,
        "parameters": [
            {
                "name": "what",
                "kind": "positional",
                "required": True,
                "description": "The thing, with its lid.",
                "usage": "<what>",
            },
            {
                "name": "where",
                "kind": "positional",
                "required": False,
                "description": "The place: any.",
                "usage": "[where]",
            },
            {
                "name": "force",
                "kind": "flag",
                "required": False,
                "description": "Do not ask.",
                "usage": "[--force]",
            },
        ],
        "examples": ["/put away box"],
    }
