"""What is sent to Telegram: messages ready for it, each within its limits."""

from dataclasses import dataclass, field

from clearml_chatops.bot.frontends.telegram.keyboards import Rows
from clearml_chatops.models.actions import Action


@dataclass(frozen=True, slots=True)
class TextMessage:
    """HTML that one message takes."""

    html: str
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class DocumentMessage:
    """A file with a caption of HTML."""

    name: str
    content: bytes = field(repr=False)
    caption: str = ""
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class PhotoMessage:
    """A picture that is shown in the chat, with a caption of HTML."""

    name: str
    content: bytes = field(repr=False)
    caption: str = ""
    rows: Rows = ()


@dataclass(frozen=True, slots=True)
class QuestionMessage:
    """A message that asks the question of an action; a reply to it is the answer."""

    action: Action


MediaMessage = DocumentMessage | PhotoMessage
ShownMessage = TextMessage | MediaMessage
OutgoingMessage = ShownMessage | QuestionMessage
