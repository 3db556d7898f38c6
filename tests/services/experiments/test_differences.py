"""Differences between two experiments."""

from dataclasses import replace
from datetime import UTC, datetime

from clearml_chatops.models.experiments import Container, Experiment, Parameter, Script, Status
from clearml_chatops.services.experiments.differences import (
    ValueChange,
    diff_containers,
    diff_experiments,
    diff_parameters,
    diff_scripts,
)

_EXPERIMENT = Experiment(
    "4f2a",
    "baseline",
    Status.DRAFT,
    datetime(2026, 11, 22, tzinfo=UTC),
    parameters=(Parameter("Args", "lr", "0.1"), Parameter("Args", "gpus", "0")),
    container=Container("python:3.12", "-v /data:/data"),
    script=Script("git@host:repo.git", "main", "1f0c", "train.py"),
)


def test_an_experiment_is_the_same_as_its_copy() -> None:
    copy = replace(_EXPERIMENT, id="81c0", name="copy", status=Status.COMPLETED, tags=("x",))
    assert diff_experiments(_EXPERIMENT, copy) == ()


def test_parameters_container_and_script_come_in_this_order() -> None:
    other = replace(
        _EXPERIMENT,
        parameters=(Parameter("Args", "lr", "0.2"), Parameter("Args", "gpus", "0")),
        container=replace(_EXPERIMENT.container, image="python:3.13"),
        script=replace(_EXPERIMENT.script, branch="dev"),
    )
    assert diff_experiments(_EXPERIMENT, other) == (
        ValueChange("Args/lr", "0.1", "0.2"),
        ValueChange("container image", "python:3.12", "python:3.13"),
        ValueChange("script branch", "main", "dev"),
    )


def test_parameters_are_sorted_and_a_missing_value_is_not_empty() -> None:
    before = [Parameter("Args", "z", ""), Parameter("Args", "b", "1"), Parameter("Args", "same", "1")]
    after = [Parameter("Args", "same", "1"), Parameter("Args", "b", ""), Parameter("Args", "a", "")]
    assert diff_parameters(before, after) == (
        ValueChange("Args/a", None, ""),
        ValueChange("Args/b", "1", ""),
        ValueChange("Args/z", "", None),
    )


def test_type_and_description_do_not_count_as_a_difference() -> None:
    before, after = Parameter("Args", "lr", "1", "int", "x"), Parameter("Args", "lr", "1", "float", "y")
    assert diff_parameters([before], [after]) == ()


def test_the_same_name_in_another_section_is_another_parameter() -> None:
    assert diff_parameters([Parameter("Args", "lr", "1")], [Parameter("General", "lr", "1")]) == (
        ValueChange("Args/lr", "1", None),
        ValueChange("General/lr", None, "1"),
    )


def test_each_part_of_a_container_is_compared_and_an_empty_part_is_none() -> None:
    assert diff_containers(Container(), Container("x:1", "-it", "pip install y", {"z": 1})) == (
        ValueChange("container image", None, "x:1"),
        ValueChange("container arguments", None, "-it"),
        ValueChange("container setup", None, "pip install y"),
    )
    assert diff_containers(Container("x:1"), Container()) == (ValueChange("container image", "x:1", None),)


def test_each_part_of_a_script_is_compared() -> None:
    before, after = Script(), Script("repo", "main", "1f0c", "train.py", "src", {"diff": "x"})
    assert diff_scripts(before, after) == (
        ValueChange("script repository", None, "repo"),
        ValueChange("script branch", None, "main"),
        ValueChange("script commit", None, "1f0c"),
        ValueChange("script entry point", None, "train.py"),
        ValueChange("script folder", None, "src"),
    )
