"""Finding a command by what was typed, and reading a declaration."""

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.registry import CommandFamily, ParameterKind, normalize_name
from clearml_chatops.models.errors import UnknownCommandError
from clearml_chatops.models.replies import Reply


def _find(line: str, *, terminal: bool = False) -> tuple[str, int]:
    command, used = build_registry().find(line.split(" "), terminal=terminal)
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
def test_command_is_found_in_any_spelling(line: str, name: str, used: int) -> None:
    assert _find(line) == (name, used)


@pytest.mark.parametrize(
    ("line", "name", "suggestion", "offered"),
    [
        ("/fnd baseline", "fnd", "/find", "/help find"),
        ("/Enque", "enque", "/enqueue", "/help enqueue"),
        ("/queuelist", "queuelist", "/queue list", "/help queue list"),
        ("/queue creat gpu_queue", "queue creat", "/queue create", "/help queue create"),
        ("/queue LSIT", "queue LSIT", "/queue list", "/help queue list"),
        ("/worker stat", "worker stat", "/worker start", "/help worker start"),
    ],
)
def test_misspelled_command_gets_suggestion(line: str, name: str, suggestion: str, offered: str) -> None:
    with pytest.raises(UnknownCommandError) as caught:
        _find(line)
    assert f"“{name}”. Did you mean {suggestion}?" in str(caught.value)
    assert caught.value.buttons[0].command == offered


def test_unrelated_word_gets_no_suggestion() -> None:
    with pytest.raises(UnknownCommandError) as caught:
        _find("/xyzzyx")
    assert "Did you mean" not in str(caught.value)
    assert "/help" in str(caught.value)
    assert caught.value.buttons == ()


def test_terminal_only_command_is_hidden_elsewhere() -> None:
    assert _find("/wait running", terminal=True) == ("wait", 1)
    with pytest.raises(UnknownCommandError) as caught:
        _find("/wait running")
    assert "/wait" not in str(caught.value)
    assert all("wait" not in offer.command for offer in caught.value.buttons)


def test_subcommands_are_listed_by_their_second_words() -> None:
    registry = build_registry()
    queue = registry.get("/queue")
    assert queue is not None
    assert registry.list_subcommands(queue) == ["list", "create", "use", "move", "rename", "delete"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("/queue_create", "queue create"), ("/Queue   Create ", "queue create"), ("@bob", "@bob"), ("/", "")],
)
def test_names_are_normalized(typed: str, name: str) -> None:
    assert normalize_name(typed) == name


def test_declaration_is_read_from_signature_and_docstring() -> None:
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
