"""Errors of what was typed."""

from clearml_chatops.models.errors.base import ChatOpsError


class UnknownCommandError(ChatOpsError):
    """No command has this name."""

    code = "unknown_command"
    text = "No command named “{name}”.{nearest} See all with /help."


class UsageError(ChatOpsError):
    """A command was given too few, too many or the wrong kind of arguments."""

    code = "usage"
    text = "{reason} Usage: {usage}"


class UnbalancedQuoteError(ChatOpsError):
    """A quote was opened and not closed."""

    code = "unbalanced_quote"
    text = "The quote {quote} before “{rest}” isn't closed. Add the closing {quote}, or remove it."


class LineTooLongError(ChatOpsError):
    """A line longer than anything a person types."""

    code = "line_too_long"
    text = "That line has {length} characters, and the limit is {limit}. Send a shorter one."


class ButtonExpiredError(ChatOpsError):
    """A button that was pressed too late."""

    code = "button_expired"
    text = "This button has expired. Find the experiments with /find and act on them there."


class QuestionExpiredError(ChatOpsError):
    """The answer to a question that a form asked too long ago."""

    code = "question_expired"
    text = "That question has expired. Open the form again and tap the value there."


class TextNeededError(ChatOpsError):
    """The bot was sent a picture, a file or a sticker, perhaps as the answer to its question."""

    code = "text_needed"
    text = "The bot can read only text. Type it as a message."


class SelectionExpiredError(ChatOpsError):
    """The confirmation of a command for several experiments came too late."""

    code = "selection_expired"
    text = "That list of experiments has expired. Send the command again to see the current one."


class SelectionInProgressError(ChatOpsError):
    """The confirmation of a command for several experiments was pressed again while the command runs."""

    code = "selection_in_progress"
    text = "The bot is already working on these experiments. You get the result when it's finished."


class TooManyExperimentsError(ChatOpsError):
    """A command for several experiments names more than it can show."""

    code = "too_many_experiments"
    text = "More than {limit} experiments match, and the limit is {limit} at a time. Narrow the search."


class InvalidValueError(ChatOpsError):
    """An argument or a parameter's value is not of the expected kind."""

    code = "invalid_value"
    text = "{name}: “{value}” isn't {expected}. {advice}"

    @property
    def field_name(self) -> str:
        return str(self.values["name"])


class ParameterInNameError(ChatOpsError):
    """A parameter and its value, separated by a space, where a name was expected."""

    code = "parameter_in_name"
    text = "“{name}” is a parameter, not a name. Write {name}={value}."


class NameTooShortError(ChatOpsError):
    """ClearML refuses names under three characters (contract: 400/800)."""

    code = "name_too_short"
    text = "“{name}” is too short. Choose a name of at least 3 characters."
    field_name = "name"
