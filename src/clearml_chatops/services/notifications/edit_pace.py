"""How often messages of a conversation are edited."""

from datetime import datetime, timedelta

from clearml_chatops.models.messages import Conversation


class EditPace:
    """The last edit in each conversation. Cards and bursts share it, as platforms count all edits together."""

    def __init__(self) -> None:
        self._last_edits: dict[tuple[str, str], datetime] = {}

    def claim(self, conversation: Conversation, interval: timedelta, now: datetime) -> bool:
        """Return whether a message may be edited now; if so, use up the conversation's interval."""
        if not interval:
            return True
        key = (conversation.platform, conversation.id)
        last = self._last_edits.get(key)
        if last is not None and last + interval > now:
            return False
        self._last_edits[key] = now
        return True
