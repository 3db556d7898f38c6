"""The values that we write are what ClearML's SDK gives the script. The SDK runs in a process of its own."""

import json
import subprocess
import sys
from typing import Any

from clearml_chatops.models.experiments import Parameter
from clearml_chatops.services.experiments.parameter_values import normalize_value

_READ_VALUES = """
import json, sys
from argparse import ArgumentParser
from types import SimpleNamespace
from clearml.backend_api import Session
from clearml.backend_interface.task.args import _Arguments

Session.check_min_api_version = lambda _version: True
TYPES = {"int": int, "float": float, "str": str}

def read(section, options, written):
    task = SimpleNamespace(
        get_parameters=lambda: {f"{section}/x": written},
        _get_task_property=lambda *args, **options: {},
        update_parameters=lambda *args, **options: None,
        log=None,
    )
    if section == "General":
        return _Arguments(task).copy_to_dict({"x": eval(options["default"])}, prefix=section)["x"]
    parser = ArgumentParser()
    named = {"type": TYPES[options["type"]]} if "type" in options else {}
    parser.add_argument("--x", **{**options, **named, "default": eval(options["default"])})
    _Arguments(task).copy_to_parser(parser, None)
    return parser.get_default("x")

print([read(*case) for case in json.load(sys.stdin)])
"""

_ARGUMENTS = (
    ({"nargs": "+", "type": "int", "default": "[0]"}, "[0]", "int", "1,2", [1, 2]),
    ({"nargs": "+", "type": "int", "default": "0"}, "0", "int", "[1,2]", [1, 2]),
    ({"nargs": "*", "default": "[0, 1]"}, "[0, 1]", "str", "2 3", [2, 3]),
    ({"nargs": 2, "type": "float", "default": "(0.9, 1)"}, "(0.9, 1)", "float", "1e4,1e-4", [1e4, 1e-4]),
    (
        {"nargs": "+", "type": "str", "default": "['a']"},
        "['a']",
        "str",
        "it's, 'C:\\\\x', 7",
        ["it's", "C:\\x", "7"],
    ),
    ({"action": "append", "type": "int", "default": "[]"}, "[]", "int", "7", [7]),
    ({"type": "float", "default": "0.1"}, "0.1", "float", "\u22121e-4", -1e-4),
    ({"type": "str", "default": "'x'"}, "x", "str", "[a, b]", "[a, b]"),
)
_CONNECTED = (
    ({"default": "[0.9, 0.99]"}, "[0.9, 0.99]", "list/float", "0.8,1e4", [0.8, 1e4]),
    ({"default": "['a']"}, '["a"]', "list/str", "it's, 'C:\\\\x'", ["it's", "C:\\x"]),
    ({"default": "['a']"}, "['a']", "list", "b=1,c", ["b=1", "c"]),
    ({"default": "(1, 2)"}, "(1, 2)", "tuple", "3,4", (3, 4)),
    ({"default": "(1, 2)"}, "[1, 2]", "tuple/int", "3", (3,)),
    ({"default": "[True]"}, "[true]", "list/bool", "off", [False]),
    ({"default": "[[1]]"}, "[[1]]", "list", "[2, 3], [4]", [[2, 3], [4]]),
    ({"default": "{'a': 1}"}, '{"a": 1}', "dict/int", "{'a': 2}", {"a": 2}),
    ({"default": "{'a': 1}"}, "{'a': 1}", "dict", "{'a': 2}", {"a": 2}),
)


def test_the_script_gets_what_was_meant() -> None:
    cases: list[tuple[str, dict[str, Any], str]] = []
    expected: list[object] = []
    for section, group in (("Args", _ARGUMENTS), ("General", _CONNECTED)):
        for options, present, type_name, typed, meant in group:
            cases.append((section, options, normalize_value(Parameter(section, "x", present, type_name), typed)))
            expected.append(meant)
    process = subprocess.run(
        [sys.executable, "-c", _READ_VALUES], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == str(expected)
