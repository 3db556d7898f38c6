"""The answer to the first `/start`, where no command of that name says more."""

from clearml_chatops.handlers.registry import Registry
from clearml_chatops.models.replies import Button, Buttons, Reply, Text, Tone

_FIRST_STEPS = (
    Button("Find experiments", "/find"),
    Button("My queue", "/queue"),
    Button("Workers", "/worker"),
    Button("Who am I", "/whoami"),
    Button("All commands", "/help"),
)


def welcome(registry: Registry) -> Reply:
    """What the bot is for, and buttons for what one does first."""
    return Reply.of(
        Text("Welcome", Tone.HEADING),
        "I clone, change and run ClearML experiments. Send a command, with or without the slash, or press:",
        Buttons(tuple(button for button in _FIRST_STEPS if registry.get(button.command))),
    )


def is_first_step(line: str, registry: Registry) -> bool:
    """Whether a line is the `/start` that Telegram itself sends, and nothing else answers it."""
    words = line.split(maxsplit=1)
    return bool(words) and words[0].casefold() == "/start" and registry.get("start") is None
