"""The step that puts due daily digests into the outbox."""

from clearml_chatops.handlers.daily_digest_messages import build_daily_notice
from clearml_chatops.services.notifications.daily_digests import DailyDigests


async def queue_due_digests(digests: DailyDigests) -> int:
    """Queue the digest of each conversation that is due, and return their number. Raises ClearMLError."""
    due_digests = await digests.list_due()
    for digest in due_digests:
        await digests.add_to_outbox(digest, build_daily_notice(digest))
    return len(due_digests)
