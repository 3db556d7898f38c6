"""Values that are typed with spaces or with an `=` in them: what they mean depends on the parameter."""

import json
from collections.abc import Sequence

from clearml_chatops.handlers.assignments import has_section, is_name, is_typable, join_assignments
from clearml_chatops.handlers.command_line import Word, split_words
from clearml_chatops.handlers.context import Context
from clearml_chatops.handlers.corrections import LineBuilder
from clearml_chatops.models.errors import ChatOpsError, ExperimentNotFoundError, UsageError
from clearml_chatops.models.experiments import Experiment
from clearml_chatops.models.replies import Button
from clearml_chatops.services.experiments.parameter_names import find_parameter, split_name
from clearml_chatops.services.experiments.parameter_values import takes_list

Pairs = tuple[tuple[str, str], ...]
_QUOTES_ADVICE = "Set several at once like args.lr=0.05 args.epochs=3. Put values with spaces in quotes."


async def read_set_words(
    context: Context, words: Sequence[str], pairs: Pairs, build_line: LineBuilder, *, usage: str
) -> tuple[str, Pairs]:
    """Return the experiment and the pairs of a `/set` with these words in front of its pairs.

    Raises:
        UsageError: the words are no experiment, and neither a parameter and its value.
    """
    if not words or (len(words) == 1 and not has_section(words[0])):
        return "".join(words), pairs
    names_experiment = len(words) > 1 and not has_section(words[0]) and is_name(words[1])
    name, *values = words[1:] if names_experiment else words
    if len(words) == 1 and not await _is_parameter_of_current(context, name):
        return name, pairs
    try:
        experiment = await context.services.experiments.get(words[0] if names_experiment else "")
    except ExperimentNotFoundError:
        # `/set note two words` begins as `/set 4f2a note words` does.
        if not names_experiment or not await _is_bare_parameter_of_current(context, words[0]):
            raise
        name, *values = words
        experiment = await context.services.experiments.get("")
    overrides = [f"{key}={value}" for key, value in pairs if not _names_in_full(experiment, key)]
    others = tuple(pair for pair in pairs if _names_in_full(experiment, pair[0]))
    if not set(overrides) <= {word.text.removesuffix(",") for word in split_words(context.message.text)}:
        # Typed with spaces around the `=`, they can also be parts of a text.
        raise UsageError(reason=_QUOTES_ADVICE, usage=usage)
    pair = _join_values(experiment, name, [*values, *overrides], others, build_line, usage=usage)
    return experiment.id, (pair, *others)


async def require_no_spaced_text(
    context: Context, name: str, pairs: Pairs, build_line: LineBuilder, *, usage: str
) -> None:
    """Offer `/set path two words` as a text if no experiment is named `path`, but a parameter of the current one.

    Raises:
        UsageError: with a button that sets the text.
    """
    if pairs and await _is_bare_parameter_of_current(context, name):
        experiment = await context.services.experiments.get("")
        (key, value), *others = pairs
        _join_values(experiment, name, [key, value], tuple(others), build_line, usage=usage)


def find_first_pair(source: Experiment, words: Sequence[str]) -> int:
    """Return the index of the first parameter with a value in words like `longer run args.gpus 1,2`."""
    starts = (index for index, word in enumerate(words[:-1]) if names_parameter(source, word))
    return next(starts, len(words))


def read_spaced_pairs(
    source: Experiment, words: Sequence[str], others: Pairs, build_line: LineBuilder, *, usage: str
) -> Pairs:
    """Return the pairs in words that start with a parameter, and the other pairs. Raises UsageError."""
    words = (*words[:-1], words[-1].removesuffix(","))
    joined = join_assignments([Word(word) for word in words], is_option=lambda _: False, starts_with_name=True)
    if all(word.key is not None for word in joined):
        return (*((word.key or "", word.value) for word in joined), *others)
    return (_join_values(source, words[0], words[1:], others, build_line, usage=usage), *others)


def names_parameter(experiment: Experiment, word: str) -> bool:
    """Return whether a word is a parameter of the experiment and not a part of a name."""
    return has_section(word) and find_parameter(experiment.parameters, word) is not None


async def _is_parameter_of_current(context: Context, name: str) -> bool:
    """Return whether the current experiment has this parameter; False if none is current."""
    try:
        return names_parameter(await context.services.experiments.get(""), name)
    except ChatOpsError:
        return False


async def _is_bare_parameter_of_current(context: Context, name: str) -> bool:
    """Return whether the current experiment has this parameter, named without its section."""
    try:
        current = await context.services.experiments.get("")
    except ChatOpsError:
        return False
    return find_parameter(current.parameters, name) is not None


def _names_in_full(experiment: Experiment, name: str) -> bool:
    """Return whether a name is that of a parameter with its section; `lr` in a Hydra override is none."""
    parameter = find_parameter(experiment.parameters, name)
    return parameter is not None and split_name(name).section.casefold() == parameter.section.casefold()


def _join_values(
    experiment: Experiment, name: str, values: Sequence[str], others: Pairs, build_line: LineBuilder, *, usage: str
) -> tuple[str, str]:
    """Return a parameter and its one value: several words are a list if it takes one."""
    parameter = find_parameter(experiment.parameters, name)
    if parameter is None:
        raise UsageError(reason=_QUOTES_ADVICE, usage=usage)
    if not values:
        raise UsageError(reason=f"{parameter.key} needs a value.", usage=usage)
    if len(values) == 1:
        return name, values[0]
    *first_values, last_value = values
    words = [*first_values, last_value.removesuffix(",") if others else last_value]
    if takes_list(parameter):
        return name, json.dumps([word.removesuffix(",") for word in words], ensure_ascii=False)
    key, text = str(parameter.key), " ".join(words)
    button = Button(f"{key} = {text}", build_line(experiment.id, ((key, text), *others)))
    raise UsageError(reason=_QUOTES_ADVICE, usage=usage, buttons=[button] if is_typable(key) else [])
