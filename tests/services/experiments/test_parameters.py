"""Lookup of hyper-parameters by typed names, and checks of values against their types."""

from datetime import UTC, datetime

import pytest

from clearml_chatops.models.errors import AmbiguousParameterError, InvalidValueError, ParameterNotFoundError
from clearml_chatops.models.experiments import Experiment, Parameter, ParameterName, Status
from clearml_chatops.services.experiments.parameter_names import find_parameter, require_parameters, split_name
from clearml_chatops.services.experiments.parameter_values import normalize_value
from clearml_chatops.services.experiments.parameters import merged, resolve_assignments

_LR = Parameter("Args", "lr", "0.1", "float", "learning rate")
_GPUS = Parameter("Args", "gpus", "0", "str")
_EPOCHS = Parameter("General", "epochs", "5", "int")
_SEED = Parameter("Args", "seed", "1", "int")
_OTHER_SEED = Parameter("General", "seed", "2", "int")
_DOTTED = Parameter("General", "optimizer.momentum", "0.9", "float")
_SLASHED = Parameter("General", "model/depth", "18", "int")
_PARAMETERS = (_LR, _GPUS, _EPOCHS, _SEED, _OTHER_SEED, _DOTTED, _SLASHED)


def _build_experiment(*parameters: Parameter) -> Experiment:
    return Experiment(
        "4f2a", "baseline", Status.DRAFT, datetime(2026, 11, 22, tzinfo=UTC), parameters=parameters or _PARAMETERS
    )


@pytest.mark.parametrize(
    ("typed", "section", "name"),
    [
        ("args.lr", "args", "lr"),
        ("Args/lr", "Args", "lr"),
        ("lr", "", "lr"),
        ("Args/model.lr", "Args", "model.lr"),
        ("args.model/lr", "args", "model/lr"),
        ("args.a.b.c", "args", "a.b.c"),
        (".lr", "", ".lr"),
        ("args.", "", "args."),
        ("", "", ""),
    ],
)
def test_the_first_dot_or_slash_ends_the_section(typed: str, section: str, name: str) -> None:
    assert split_name(typed) == ParameterName(section, name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("args.lr", _LR),
        ("Args/lr", _LR),
        ("ARGS.LR", _LR),
        ("aRgS/Lr", _LR),
        ("lr", _LR),
        ("LR", _LR),
        ("general.epochs", _EPOCHS),
        ("args.epochs", None),
        ("args.seed", _SEED),
        ("general/seed", _OTHER_SEED),
        ("seed", None),
        ("optimizer.momentum", _DOTTED),
        ("general.optimizer.momentum", _DOTTED),
        ("General/Optimizer.Momentum", _DOTTED),
        ("General/optimizer/momentum", _DOTTED),
        ("general.model.depth", _SLASHED),
        ("model.depth", _SLASHED),
        ("MODEL.Depth", _SLASHED),
        ("momentum", None),
        ("model/depth", _SLASHED),
        ("general.model/depth", _SLASHED),
        ("General/model/depth", _SLASHED),
        ("l", None),
        ("", None),
    ],
)
def test_a_parameter_is_found_in_any_case_unless_it_is_ambiguous(typed: str, meant: Parameter | None) -> None:
    assert find_parameter(_PARAMETERS, typed) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Args/lr", "one"),
        ("Args/LR", "two"),
        ("args.lr", "one"),
        ("args.LR", "two"),
        ("lr", "one"),
        ("args.Lr", None),
    ],
)
def test_the_exact_spelling_wins_between_names_that_differ_only_in_case(typed: str, meant: str | None) -> None:
    found = find_parameter([Parameter("Args", "lr", "one"), Parameter("Args", "LR", "two")], typed)
    assert (found.value if found else None) == meant


def test_the_exact_spelling_wins_between_sections_that_differ_only_in_case() -> None:
    parameters = [Parameter("Args", "lr", "one"), Parameter("args", "lr", "two")]
    assert find_parameter(parameters, "Args.lr") == parameters[0]
    assert find_parameter(parameters, "args/lr") == parameters[1]
    assert find_parameter(parameters, "ARGS.lr") is None


def test_section_and_name_win_over_a_name_that_contains_a_dot() -> None:
    section_and_name = Parameter("Optimizer", "lr", "1")
    parameters = [Parameter("General", "optimizer.lr", "2"), section_and_name]
    assert find_parameter(parameters, "optimizer.lr") == section_and_name


def test_a_new_value_keeps_type_and_description() -> None:
    assert resolve_assignments(_build_experiment(), [("args.LR", "0.05")], allow_new=False) == [
        Parameter("Args", "lr", "0.05", "float", "learning rate")
    ]


def test_the_last_of_two_values_for_one_parameter_wins() -> None:
    planned = resolve_assignments(_build_experiment(), [("args.lr", "1"), ("Args/lr", "2")], allow_new=False)
    assert [item.value for item in planned] == ["2"]


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("args.lrr", "args.lr"),
        ("args.GPU", "args.gpus"),
        ("epoch", "general.epochs"),
        ("gpu", "args.gpus"),
        ("args.epochs", "general.epochs"),
        ("general.model/deth", "general.model/depth"),
        ("momentum", "general.optimizer.momentum"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_names(typed: str, suggested: str) -> None:
    with pytest.raises(ParameterNotFoundError) as caught:
        resolve_assignments(_build_experiment(), [(typed, "1")], allow_new=False)
    assert f"has no parameter {typed}. Did you mean " in str(caught.value)
    assert suggested in str(caught.value)
    assert str(caught.value).endswith("See all with /params, or add it with --new.")
    assert find_parameter(_PARAMETERS, suggested), "the suggestion can be typed"


def test_an_ambiguous_name_is_refused_with_all_matches() -> None:
    for allow_new in (False, True):
        with pytest.raises(AmbiguousParameterError, match=r"2 parameters of “baseline” match “seed”\.") as caught:
            resolve_assignments(_build_experiment(), [("seed", "1")], allow_new=allow_new)
        assert caught.value.corrections == ("Args/seed", "General/seed")


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(ParameterNotFoundError) as caught:
        resolve_assignments(_build_experiment(), [("zzz.qqqqqq", "1")], allow_new=False)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "section", "name"),
    [
        ("args.new_one", "Args", "new_one"),
        ("GENERAL/new_one", "General", "new_one"),
        ("new_one", "General", "new_one"),
        ("Hydra.model.depth", "Hydra", "model.depth"),
        ("my_section/x", "My_Section", "x"),
        ("other/x", "other", "x"),
    ],
)
def test_a_new_parameter_goes_into_the_named_section(typed: str, section: str, name: str) -> None:
    experiment = _build_experiment(Parameter("My_Section", "y", "1"))
    assert resolve_assignments(experiment, [(typed, "1")], allow_new=True) == [Parameter(section, name, "1")]


def test_allow_new_changes_nothing_for_an_existing_parameter() -> None:
    assert resolve_assignments(_build_experiment(), [("ARGS.lr", "0.2")], allow_new=True) == [
        Parameter("Args", "lr", "0.2", "float", "learning rate")
    ]


@pytest.mark.parametrize(
    ("declared", "value", "written"),
    [
        ("int", "3", "3"),
        ("int", "-3", "-3"),
        ("float", "0.05", "0.05"),
        ("float", "1e-3", "1e-3"),
        ("float", "3", "3"),
        ("bool", "true", "True"),
        ("bool", "YES", "True"),
        ("bool", "1", "True"),
        ("bool", "off", "False"),
        ("bool", "0", "False"),
        ("list", "[1, 2]", "[1, 2]"),
        ("tuple", "1, 2", "(1, 2)"),
        ("dict", "{'a': 1}", "{'a': 1}"),
        ("str", "anything at all", "anything at all"),
        ("str", "", ""),
        ("int", "", ""),
        ("bool", "", ""),
        ("list", "", ""),
        (None, "anything", "anything"),
        ("", "anything", "anything"),
        ("NoneType", "anything", "anything"),
        ("builtins.int", "3", "3"),
        ("builtins.bool", "no", "False"),
        ("Int", "3", "3"),
        ("pathlib.PosixPath", "/data", "/data"),
    ],
)
def test_a_valid_value_is_normalized_for_its_type(declared: str | None, value: str, written: str) -> None:
    assert normalize_value(Parameter("Args", "x", "", declared), value) == written


@pytest.mark.parametrize(
    ("declared", "value", "expected_text"),
    [
        ("int", "three", "Args/x: “three” isn't of type int. Write a number like 3."),
        ("int", "0.5", "Write a number like 3."),
        ("int", "9" * 5000, "Write a number like 3."),
        ("builtins.int", "x", "Write a number like 3."),
        ("float", "0,05", "Args/x: “0,05” isn't of type float. Write a number like 0.05."),
        ("bool", "maybe", "Args/x: “maybe” isn't a bool. Write true or false."),
        (
            "list",
            "[1, 2",
            "Args/x: “[1, 2” isn't a list. Write it like a,b or ['a', 'b'], and close all brackets.",
        ),
        ("list", "[" * 5000, "isn't a list"),
        ("tuple", "(1, 2]", "isn't a list"),
        ("dict", "{1, 2}", "isn't a dict"),
        ("dict", "{[1]: 2}", "isn't a dict"),
        ("dict", "\0", "isn't a dict"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_what_to_write(
    declared: str, value: str, expected_text: str
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        normalize_value(Parameter("Args", "x", "", declared), value)
    assert expected_text in str(caught.value)


def test_parameters_to_remove_are_found_or_refused() -> None:
    assert require_parameters(_build_experiment(), ["ARGS.lr", "epochs"]) == [_LR, _EPOCHS]
    with pytest.raises(ParameterNotFoundError, match=r"Did you mean args\.lr\? See all with /params\."):
        require_parameters(_build_experiment(), ["args.lr", "args.lrx"])


def test_merged_replaces_changed_parameters_and_appends_new_ones() -> None:
    changed, new = Parameter("Args", "lr", "1"), Parameter("General", "lr", "2")
    assert merged([_LR, _GPUS], [new, changed]) == [changed, _GPUS, new]
