"""Changes of hyper-parameters: from typed names and values to the parameters to write. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from clearml_chatops.models.errors import InvalidParameterValueError, InvalidParameterValuesError
from clearml_chatops.models.experiments import Experiment, Parameter, ParameterName
from clearml_chatops.services.experiments.parameter_names import (
    build_new_parameter,
    list_candidates,
    require_parameter,
)
from clearml_chatops.services.experiments.parameter_values import normalize_value


def resolve_assignments(
    experiment: Experiment, assignments: Iterable[tuple[str, str]], *, allow_new: bool
) -> list[Parameter]:
    """Return the parameters to write, with checked values and their types and descriptions.

    Raises:
        ParameterNotFoundError: a parameter does not exist and `allow_new` is not set.
        AmbiguousParameterError: several parameters match a name, also if `allow_new` is set.
        InvalidParameterValueError: a value is not of the parameter's type.
        InvalidParameterValuesError: several values are not.
    """
    changed: dict[ParameterName, Parameter] = {}
    invalid: list[InvalidParameterValueError] = []
    for name, value in assignments:
        if allow_new and not list_candidates(experiment.parameters, name):
            parameter = build_new_parameter(experiment.parameters, name)
        else:
            parameter = require_parameter(experiment, name, advice="See all with /params, or add it with --new.")
        try:
            changed[parameter.key] = replace(parameter, value=normalize_value(parameter, value))
        except InvalidParameterValueError as error:
            error.experiment_id, error.typed_name = experiment.id, name
            invalid.append(error)
    if invalid:
        raise InvalidParameterValuesError(invalid) if len(invalid) > 1 else invalid[0]
    return list(changed.values())


def merged(parameters: Sequence[Parameter], changes: Iterable[Parameter]) -> list[Parameter]:
    """Return all parameters, with `changes` replacing or added to the existing ones."""
    by_key = {item.key: item for item in parameters}
    by_key.update({item.key: item for item in changes})
    return list(by_key.values())
