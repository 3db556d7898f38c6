"""What is wrong with what was typed."""

from clearml_chatops.models.errors.base import ChatOpsError


class UnknownCommandError(ChatOpsError):
    """No command has this name."""

    code = "unknown_command"
    text = "There is no command “{name}”.{nearest} /help lists what there is."


class UsageError(ChatOpsError):
    """A command was given too little, too much or the wrong kind of arguments."""

    code = "usage"
    text = "{reason} Usage: {usage}"


class UnbalancedQuoteError(ChatOpsError):
    """A quote was opened and not closed."""

    code = "unbalanced_quote"
    text = "The quote {quote} before “{rest}” is not closed; add the closing {quote} or remove it."


class LineTooLongError(ChatOpsError):
    """A line beyond anything a person types."""

    code = "line_too_long"
    text = "That line has {length} characters and the limit is {limit}; send a shorter one."


class QuestionExpiredError(ChatOpsError):
    """The answer to a question that a form asked too long ago."""

    code = "question_expired"
    text = "That question has expired; ask for the form again and press the value there."


class TextNeededError(ChatOpsError):
    """The bot was sent a picture, a file or a sticker, or a question of its was answered with one."""

    code = "text_needed"
    text = "I can read text only; write it as a message."


class InvalidValueError(ChatOpsError):
    """An argument or a parameter's value is not of the kind that is needed."""

    code = "invalid_value"
    text = "{name}: “{value}” is not {expected}; {advice}"


class ParameterInNameError(ChatOpsError):
    """A parameter and its value, parted by a space, where a name was expected."""

    code = "parameter_in_name"
    text = "“{name}” is a parameter, not a name; write {name}={value} with no space around =."


class NameTooShortError(ChatOpsError):
    """ClearML refuses names under three characters (contract: 400/800)."""

    code = "name_too_short"
    text = "“{name}” is too short: ClearML needs names of at least 3 characters, so choose a longer one."
