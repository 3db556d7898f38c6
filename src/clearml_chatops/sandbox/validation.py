"""Validation of requests, with ClearML's own error texts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from clearml_chatops.sandbox.documents import Document
from clearml_chatops.sandbox.errors import DATA_VALIDATION, VALIDATION, ApiError
from clearml_chatops.sandbox.versions import ServerVersion

MIN_NAME_LENGTH = 3


@dataclass(frozen=True)
class Field:
    """A field of a request with its JSON types. The error names the first type."""

    types: tuple[type, ...]
    required: bool = False
    choices: Collection[str] = ()
    since: str = "1.0"
    """The first API version that knows it. Older servers ignore it, whatever its value."""

    def added_in(self, api_version: str) -> "Field":
        return replace(self, since=api_version)

    def check(self, name: str, value: object) -> None:
        if value is None:
            if self.required:
                raise ApiError(VALIDATION, f"error for field '{name}'. field is required!")
            return
        # a bool is an int in Python, but not for ClearML
        is_unexpected_bool = isinstance(value, bool) and bool not in self.types
        if is_unexpected_bool or not isinstance(value, self.types):
            expected = self.types[0].__name__
            raise ApiError(
                VALIDATION,
                f"error for field '{name}': ('value is wrong, expected type \"{expected}\"', {value!r}).",
            )
        if self.choices and value not in self.choices:
            raise ApiError(VALIDATION, f"error for field '{name}': value '{value}' is not a valid choice..")


TEXT = Field((str,))
REQUIRED_TEXT = Field((str,), required=True)
FLAG = Field((bool,))
NUMBER = Field((int, float))
REQUIRED_NUMBER = Field((float, int), required=True)
INTEGER = Field((int,))
LIST = Field((list,))
TEXT_OR_LIST = Field((list, str))
REQUIRED_LIST = Field((list,), required=True)
DICTIONARY = Field((dict,))
REQUIRED_DICTIONARY = Field((dict,), required=True)


def select_known_fields(data: Document, fields: Mapping[str, Field], version: ServerVersion) -> Document:
    """Return the request without the fields that this server doesn't know yet."""
    unknown = {name for name, field in fields.items() if not version.supports(field.since)}
    return {name: value for name, value in data.items() if name not in unknown}


def check_fields(data: Document, fields: Mapping[str, Field]) -> None:
    for name, field in fields.items():
        field.check(name, data.get(name))


def check_name(name: str) -> None:
    """Raise 400/800 for a name of a task, queue or project with fewer than three characters."""
    if len(name.strip()) < MIN_NAME_LENGTH:
        raise ApiError(DATA_VALIDATION, name="String value is too short")


def check_parameters(parameters: list[object]) -> None:
    """Check the `hyperparams` of tasks.edit_hyper_params: at least one, each with section, name and text value."""
    if not parameters:
        raise ApiError(
            VALIDATION,
            "error for field 'hyperparams': value '[]' length is lower than allowed minimum '1'..",
        )
    for parameter in parameters:
        if not isinstance(parameter, dict):
            raise ApiError(
                VALIDATION,
                f"error for field 'hyperparams': ('value is wrong, expected type \"dict\"', {parameter!r}).",
            )
        for name in ("section", "name"):
            if not parameter.get(name):
                raise ApiError(
                    VALIDATION,
                    f"error for field 'hyperparams': (\"error for field '{name}'.\", "
                    "validationerror('field is required!')).",
                )
        check_parameter_texts(parameter)


def check_parameter_texts(parameter: Document) -> None:
    """Check that value, type and description of a parameter are strings."""
    for name in ("value", "type", "description"):
        value = parameter.get(name)
        if value is not None and not isinstance(value, str):
            raise ApiError(
                VALIDATION,
                f"error for field 'hyperparams': error for field '{name}': "
                f"('value is wrong, expected type \"str\"', {value!r})..",
            )
