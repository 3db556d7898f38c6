"""Lists as people type them, as ClearML writes them, and as its SDK reads them again."""

import json
import time
from contextlib import suppress

import pytest
import yaml  # type: ignore[import-untyped]

from clearml_chatops.models.errors import InvalidParameterValueError
from clearml_chatops.models.experiments import Parameter
from clearml_chatops.services.experiments.parameter_values import normalize_value


def _write(typed: str, value: str, type_name: str | None, section: str = "Args") -> str:
    return normalize_value(Parameter(section, "x", value, type_name), typed)


@pytest.mark.parametrize(
    ("present", "type_name", "typed", "written"),
    [
        ("[0]", "int", "1,2", "[1, 2]"),
        ("[0]", "int", "[1,2]", "[1, 2]"),
        ("[0]", "int", "(1, 2)", "[1, 2]"),
        ("[0]", "int", "1", "[1]"),
        ("[0]", "int", "1, 2,", "[1, 2]"),
        ("[0]", "int", "1 2", "[1, 2]"),
        ("[0]", "int", "[]", "[]"),
        ("[0]", "int", "\u22121,\u22122", "[-1, -2]"),
        ("[0]", "int", "007", "[7]"),  # YAML would read an octal number
        ("[0]", "str", "1,2", "[1, 2]"),  # nargs="+" without a type
        ("[0.5]", "str", "1,0.25", "[1, 0.25]"),
        ("['0']", "str", "1,2", "['1', '2']"),
        ("[]", "str", "1,2", "['1', '2']"),
        ("[True]", "bool", "on,off", "[True, False]"),
        ("[0.1, 0.2]", "float", "1e-4,1e4,.5", "[1e-4, 10000.0, 0.5]"),
        ("['a', 'b']", "str", "a b, 'c, d', [e,f]", "['a b', 'c, d', '[e,f]']"),
        ("['a', 'b']", "str", "it's", '["it\'s"]'),
        ("['a']", "str", "'C:\\\\data'", '["C:\\\\data"]'),
        ("[[1, 2]]", "str", "[[3, 4], [5, 6]]", "[[3, 4], [5, 6]]"),
        ("[[1, 2]]", "str", "[3,4],(5,6)", "[[3, 4], [5, 6]]"),
        ("(1, 2)", "tuple", "3,4", "(3, 4)"),
        ("(1, 2)", "tuple", "3", "(3,)"),
        ("", "tuple", "3,4", "(3, 4)"),
        ("(0.9, 0.99)", "float", "0.8,0.9", "[0.8, 0.9]"),  # nargs=2, where the SDK reads no parentheses
        ("", "list", "[open('x')]", "[\"open('x')\"]"),
        ("", "list", "1,a,None,true", "[1, 'a', None, True]"),
        ("[1, 2]", "list", "0.5", "[0.5]"),
        ("[1, 'a']", "list", "2,b", "[2, 'b']"),
        ("[0.9, 0.999]", "list/float", "0.8,1e4", "[0.8, 10000.0]"),
        ("[1, 2]", "tuple/int", "(3,4)", "[3, 4]"),
        ('["a"]', "list/str", "it's,b", '["it\'s", "b"]'),
        ('["a", 1]', "list", "b,2", '["b", 2]'),
        ("[true]", "list/bool", "yes", "[true]"),
        ("", "list/int", "4,5", "[4, 5]"),
        ("[0]", None, "3", "[3]"),
        ("[0]", "NoneType", "3", "[3]"),
        ("0.5", "float", "[0.5,0.25]", "[0.5, 0.25]"),  # nargs, with a default that is no list
        ("5", "int", "[4, 5]", "[4, 5]"),
        ("x", "str", "[a, b]", "[a, b]"),
        ("[a, b]", "str", "anything", "anything"),
        ("{'a': 1}", "dict", '{"a": true}', '{"a": true}'),
        ('{"a": 1}', "dict/int", "{'a': 2}", '{"a": 2}'),
    ],
)
def test_a_list_is_written_as_clearml_writes_it(
    present: str, type_name: str | None, typed: str, written: str
) -> None:
    assert _write(typed, present, type_name) == written
    assert _write(written, present, type_name) == written


@pytest.mark.parametrize(
    ("present", "type_name", "typed", "said"),
    [
        ("[0]", "int", "4,x", "isn't a list of whole numbers. Write it like 4,5 or [4, 5]."),
        ("[0]", "int", "1,,2", "isn't a list of whole numbers"),
        ("[0]", "int", "[1], [2]", "isn't a list of whole numbers"),
        ("[0]", "int", "[1", "isn't a list of whole numbers"),
        ("[0]", "int", "1]", "isn't a list of whole numbers"),
        ("[0]", "int", "[1)", "isn't a list of whole numbers"),
        ("[0]", "str", "a", "isn't a list of whole numbers"),
        ("[0.5]", "float", "fast", "isn't a list of numbers. Write it like 0.1,0.2 or [0.1, 0.2]."),
        ("[True]", "bool", "maybe", "isn't a list of true and false"),
        ("[[1]]", "str", "[1]", "isn't a list of lists. Write it like [[1, 2], [3, 4]]."),
        ("[0.9]", "list/float", "a", "isn't a list of numbers"),
        ("5", "int", "[4, x]", "isn't a list of whole numbers"),
        ("{}", "dict", "{a: 2}", "isn't a dict. Write it as in Python or JSON, like {'a': 1}."),
    ],
)
def test_an_element_of_another_type_is_refused(present: str, type_name: str, typed: str, said: str) -> None:
    with pytest.raises(InvalidParameterValueError) as caught:
        _write(typed, present, type_name)
    assert said in str(caught.value)


def test_a_connected_number_never_becomes_a_list() -> None:
    """The SDK would keep the script's default without an error."""
    with pytest.raises(InvalidParameterValueError, match="isn't of type float"):
        _write("[0.5]", "0.1", "float", section="General")


@pytest.mark.parametrize(
    ("type_name", "typed", "corrections"),
    [
        ("float", "0,05", ("0.05",)),
        ("float", "0,5", ("0.5", "[0, 5]")),
        ("float", "0.1,0.2", ("[0.1, 0.2]",)),
        ("int", "1,2", ("[1, 2]",)),
        ("int", "1e3", ("1000",)),
        ("int", "10.0", ("10",)),
        ("int", "1.5", ()),
        ("float", "fast", ()),
        ("bool", "maybe", ()),
    ],
)
def test_values_that_can_be_meant_are_offered(type_name: str, typed: str, corrections: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParameterValueError) as caught:
        _write(typed, "1", type_name)
    assert caught.value.corrections == corrections


TEXTS = (
    "plain",
    "it's",
    'say "hi"',
    'it\'s "both"',
    "C:\\new\\table",
    "a, b",
    "[x]",
    "#no",
    "tab\there",
    "é中",
    "1e-4",
)


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_read_again_by_the_sdk(text: str) -> None:
    """The SDK reads lists of arguments as YAML, and connected lists as JSON."""
    typed = json.dumps([text, "x"])
    assert yaml.safe_load(_write(typed, "['a', 'b']", "str")) == [text, "x"]
    assert json.loads(_write(typed, '["a", "b"]', "list/str")) == [text, "x"]


@pytest.mark.parametrize("piece", ["1,", "[", "'", "\"x 'y ", "(1),", "a, ", ", 'b"])
def test_long_values_take_no_long_time(piece: str) -> None:
    typed = piece * (20_000 // len(piece))
    started = time.process_time()
    for present, type_name in (("[0]", "int"), ("['a']", "str"), ("", "list")):
        with suppress(InvalidParameterValueError):
            _write(typed, present, type_name)
    assert time.process_time() - started < 2
