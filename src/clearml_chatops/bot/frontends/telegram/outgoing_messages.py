"""Messages to send to Telegram, each within its limits."""

from dataclasses import dataclass, field

from clearml_chatops.bot.frontends.telegram.keyboards import Rows
from clearml_chatops.models.actions import Action


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A message of HTML."""

    html: str
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class DocumentMessage:
    """A file with an HTML caption."""

    name: str
    content: bytes = field(repr=False)
    caption: str = ""
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class PhotoMessage:
    """A picture that the chat shows, with an HTML caption."""

    name: str
    content: bytes = field(repr=False)
    caption: str = ""
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class QuestionMessage:
    """A message that asks an action's question; people answer by replying to it."""

    action: Action


MediaMessage = DocumentMessage | PhotoMessage
ShownMessage = TextMessage | MediaMessage
OutgoingMessage = ShownMessage | QuestionMessage
