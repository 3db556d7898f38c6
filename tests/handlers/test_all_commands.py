"""Tests that every declared command must pass, also a new one."""

import json
import re

import pytest

from clearml_chatops.handlers.all_commands import build_registry
from clearml_chatops.handlers.binding import bind
from clearml_chatops.handlers.command_line import split_words
from clearml_chatops.handlers.registry import Command, ParameterKind

_COMMANDS = list(build_registry())
_TELEGRAM_DESCRIPTION = 256
_TELEGRAM_COMMANDS = 100

every_command = pytest.mark.parametrize("command", _COMMANDS, ids=[command.name for command in _COMMANDS])
every_example = pytest.mark.parametrize(
    ("command", "example"),
    [(command, example) for command in _COMMANDS for example in command.examples],
    ids=[example for command in _COMMANDS for example in command.examples],
)


def test_main_commands_exist() -> None:
    wanted = """
        help, whoami, find, show, clone, use, set, unset, params, diff, container, name, tag, script, enqueue,
        dequeue, abort, reset, retry, archive, undo, rerun, log, queue, queue list, queue create, queue use,
        queue move, queue rename, queue delete, worker start, worker stop, wait
    """
    assert {name.strip() for name in wanted.split(",")} <= {command.name for command in _COMMANDS}


def test_command_names_are_unique() -> None:
    names = [command.name for family in build_registry().families for command in family.commands]
    assert len(names) == len(set(names))
    assert len(names) <= _TELEGRAM_COMMANDS


@every_command
def test_help_is_complete(command: Command) -> None:
    assert command.summary.endswith(".")
    assert command.summary[0].isupper()
    for parameter in command.shown_parameters:
        assert parameter.description.endswith("."), parameter.name
    assert command.examples


@every_command
def test_name_and_summary_fit_telegram_menu(command: Command) -> None:
    assert re.fullmatch(r"[a-z0-9_]{1,32}", command.name.replace(" ", "_"))
    assert len(command.summary) <= _TELEGRAM_DESCRIPTION


@every_command
def test_command_is_found_by_both_spellings(command: Command) -> None:
    for spelling in (f"/{command.name}".split(), [f"/{command.name.replace(' ', '_')}"]):
        found, used = build_registry().find(spelling, terminal=True)
        assert (found.name, used) == (command.name, len(spelling))


@every_command
def test_json_matches_declaration(command: Command) -> None:
    listed = json.loads(json.dumps(command.to_json()))
    assert all(listed[key] for key in ("name", "family", "usage", "summary", "permission", "examples"))
    assert listed["permission"] in {"viewer", "member", "admin"}
    assert [item["name"] for item in listed["parameters"]] == [item.name for item in command.shown_parameters]
    for item in listed["parameters"]:
        assert all(item[key] for key in ("name", "kind", "description", "usage"))


@every_command
def test_usage_is_well_formed(command: Command) -> None:
    assert re.match(rf"/{command.name}( |$)", command.usage)
    assert re.fullmatch(r"[^<>\[\]]*((\[[^<>\[\]]+\]|<[^<>\[\]]+>)[^<>\[\]]*)*", command.usage)
    if not command.custom_usage:
        for parameter in command.shown_parameters:
            assert parameter.name in command.usage or parameter.kind is ParameterKind.ASSIGNMENTS


@every_example
def test_example_binds_to_its_command(command: Command, example: str) -> None:
    words = split_words(example)
    found, used = build_registry().find([word.text for word in words], terminal=True)
    assert found.name == command.name
    arguments = bind(found, words[used:])
    required = {item.name for item in command.shown_parameters if item.required}
    assert required <= arguments.keys() <= {item.argument_name for item in command.shown_parameters}


@every_command
def test_missing_required_argument_is_reported(command: Command) -> None:
    required = [item for item in command.shown_parameters if item.required]
    if required:
        with pytest.raises(Exception, match=f"needs <{required[0].name}"):
            bind(command, [])
    else:
        assert set(bind(command, [])) <= {
            item.name for item in command.shown_parameters if item.kind is ParameterKind.ASSIGNMENTS
        }


@every_command
def test_options_come_after_positional_parameters(command: Command) -> None:
    kinds = [item.kind for item in command.shown_parameters]
    named = [kind in {ParameterKind.OPTION, ParameterKind.FLAG} for kind in kinds]
    assert named == sorted(named)
    rest = [index for index, kind in enumerate(kinds) if kind is ParameterKind.REST]
    assert len(rest) <= 1
    if rest:
        assert ParameterKind.POSITIONAL not in kinds[rest[0] :]
