"""Errors of typed parameters: the name isn't found or isn't unique, or the value doesn't fit.

`corrections` are what can be typed in place of the name or the value; the command offers each as a button.
"""

from collections.abc import Sequence

from clearml_chatops.models.errors.base import ChatOpsError
from clearml_chatops.models.errors.commands import InvalidValueError
from clearml_chatops.models.replies import Button, FieldError


class ParameterNameError(ChatOpsError):
    """A typed name is not the name of exactly one parameter."""

    def __init__(
        self,
        *,
        experiment_id: str,
        experiment: str,
        name: str,
        corrections: Sequence[str] = (),
        buttons: Sequence[Button] = (),
        **values: object,
    ) -> None:
        super().__init__(experiment=experiment, name=name, buttons=buttons, **values)
        self.experiment_id = experiment_id
        self.typed_name = name
        self.corrections = tuple(corrections)

    @property
    def field_name(self) -> str:
        return self.typed_name


class ParameterNotFoundError(ParameterNameError):
    """The experiment has no such parameter."""

    code = "parameter_not_found"
    text = "“{experiment}” has no parameter {name}.{nearest} {advice}"


class AmbiguousParameterError(ParameterNameError):
    """Several parameters have this name, in different sections or different spellings."""

    code = "ambiguous_parameter"
    text = "{count} parameters of “{experiment}” match “{name}”. Which one?"


class InvalidParameterValueError(InvalidValueError):
    """The value doesn't fit the type of its parameter. The experiment and the typed name are added where known."""

    def __init__(
        self, *, name: str, value: str, expected: str, advice: str, corrections: Sequence[str] = ()
    ) -> None:
        super().__init__(name=name, value=value, expected=expected, advice=advice)
        self.experiment_id = ""
        self.typed_name = name
        self.corrections = tuple(corrections)


class InvalidParameterValuesError(ChatOpsError):
    """Several values don't fit the types of their parameters."""

    code = "invalid_values"
    text = "{count} values don't fit, so nothing was changed."

    def __init__(self, errors: Sequence[InvalidParameterValueError]) -> None:
        super().__init__(count=len(errors))
        self.errors = tuple(errors)
        self.experiment_id = errors[0].experiment_id

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.errors)])

    @property
    def field_errors(self) -> tuple[FieldError, ...]:
        return tuple(field_error for error in self.errors for field_error in error.field_errors)
