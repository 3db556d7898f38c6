"""Puts the daily digests that are due on their way."""

from clearml_chatops.handlers.daily_digest_messages import daily_notice
from clearml_chatops.services.notifications.daily_digests import DailyDigests


async def tell_due_digests(digests: DailyDigests) -> int:
    """Has each conversation told whose time has come, and gives how many these are. Raises ClearMLError."""
    due = await digests.due()
    for item in due:
        await digests.tell(item, daily_notice(item))
    return len(due)
