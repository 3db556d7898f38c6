"""Resolving typed names of hyper-parameters. Pure functions."""

import re
from collections.abc import Iterable, Sequence

from clearml_chatops.models.errors import AmbiguousParameterError, ParameterNotFoundError
from clearml_chatops.models.experiments import Experiment, Parameter, ParameterName
from clearml_chatops.services.similar_names import find_similar_names, format_suggestion

_DEFAULT_SECTIONS = {"args": "Args", "general": "General"}
_MAX_SUGGESTIONS = 3
_MAX_CHOICES = 8


def split_name(text: str) -> ParameterName:
    """Return section and name of `args.lr` or `Args/lr`; the section is empty if none is given.

    The first separator ends the section, because names may contain dots and slashes, like `Args/model.lr`.
    """
    match = re.fullmatch(r"([^./]+)[./](.+)", text, re.DOTALL)
    return ParameterName(match[1], match[2]) if match else ParameterName("", text)


def find_parameter(parameters: Sequence[Parameter], text: str) -> Parameter | None:
    """Return the parameter with a typed name; None if there is none or it is ambiguous."""
    candidates = list_candidates(parameters, text)
    return candidates[0] if len(candidates) == 1 else None


def list_candidates(parameters: Sequence[Parameter], text: str) -> list[Parameter]:
    """Return the parameters that a typed name can mean: those with this section and name, or else this name.

    Case doesn't matter, and a dot means a slash and the other way around, unless several differ only in that.
    """
    folded_text = _fold(text)
    matching = [item for item in parameters if _fold(str(item.key)) == folded_text]
    matching = matching or [item for item in parameters if _fold(item.name) == folded_text]
    same_separators = [
        item for item in matching if text.casefold() in {name.casefold() for name in _list_spellings(item)}
    ]
    exact = [item for item in matching if text in _list_spellings(item)]
    same_name = [item for item in matching if text.endswith(item.name)]
    return next((found for found in (exact, same_separators, same_name) if len(found) == 1), matching)


def require_parameter(experiment: Experiment, text: str, *, advice: str) -> Parameter:
    """Return the parameter with a typed name. Raises ParameterNotFoundError, AmbiguousParameterError."""
    candidates = list_candidates(experiment.parameters, text)
    if not candidates:
        raise _build_not_found_error(experiment, text, advice)
    if len(candidates) > 1:
        raise AmbiguousParameterError(
            experiment_id=experiment.id,
            experiment=experiment.name,
            name=text,
            count=len(candidates),
            corrections=_list_distinct_spellings(experiment.parameters, candidates)[:_MAX_CHOICES],
        )
    return candidates[0]


def require_parameters(experiment: Experiment, names: Iterable[str]) -> list[Parameter]:
    """Return the parameters with these names. Raises ParameterNotFoundError, AmbiguousParameterError."""
    return [require_parameter(experiment, name, advice="See all with /params.") for name in names]


def build_new_parameter(parameters: Sequence[Parameter], name: str) -> Parameter:
    """Return a parameter without a value in the named section, spelled like an existing one."""
    new_name = split_name(name)
    section = next(
        (item.section for item in parameters if item.section.casefold() == new_name.section.casefold()),
        _DEFAULT_SECTIONS.get(new_name.section.casefold(), new_name.section or "General"),
    )
    return Parameter(section=section, name=new_name.name, value="")


def _fold(text: str) -> str:
    return text.casefold().replace("/", ".")


def _list_spellings(parameter: Parameter) -> tuple[str, ...]:
    """Return the ways to write section and name that keep the separators of the name."""
    return (str(parameter.key), f"{parameter.section}.{parameter.name}")


def _list_distinct_spellings(parameters: Sequence[Parameter], candidates: Iterable[Parameter]) -> list[str]:
    """Return for each candidate a name that means only it; none for a candidate without such a name."""
    found = (
        next((name for name in _list_spellings(item) if find_parameter(parameters, name) == item), None)
        for item in candidates
    )
    return [name for name in found if name is not None]


def _format_name(parameter: Parameter) -> str:
    return f"{parameter.section.lower()}.{parameter.name}"


def _build_not_found_error(experiment: Experiment, name: str, advice: str) -> ParameterNotFoundError:
    parameters = experiment.parameters
    nearest = [_format_name(item) for item in parameters if _fold(item.name).endswith(f".{_fold(name)}")]
    nearest = nearest or find_similar_names(name, [_format_name(item) for item in parameters])
    if not nearest:
        names = find_similar_names(name, {item.name for item in parameters})
        nearest = [
            _format_name(item) for similar_name in names for item in parameters if item.name == similar_name
        ]
    nearest = nearest[:_MAX_SUGGESTIONS]
    return ParameterNotFoundError(
        experiment_id=experiment.id,
        experiment=experiment.name,
        name=name,
        nearest=format_suggestion(nearest),
        advice=advice,
        corrections=nearest,
    )
