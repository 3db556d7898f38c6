"""The tables. Changing one here requires a migration; a test compares the two."""

from clearml_chatops.storage.schema.base import Table, UtcDateTime
from clearml_chatops.storage.schema.experiments import (
    CreatedExperimentRow,
    CurrentExperimentRow,
    DraftEditRow,
    ExperimentOptOutRow,
    ExperimentStateRow,
    OwnActionRow,
    OwnExperimentsOptOutRow,
    SubscriptionRow,
    WatcherCursorRow,
    WatchRow,
)
from clearml_chatops.storage.schema.messages import ActionRow, CardRow, HandledRequestRow, QuestionRow
from clearml_chatops.storage.schema.notifications import (
    AlertRow,
    BurstRow,
    DailyDigestRow,
    MuteRow,
    OutboxRow,
    QuietHoursRow,
    StallRow,
)
from clearml_chatops.storage.schema.people import (
    AuditRow,
    DirectMessageRow,
    IdentityRow,
    LinkCodeRow,
    PersonRow,
    PrivateConversationRow,
    QueueBindingRow,
    TimeZoneRow,
)
from clearml_chatops.storage.schema.workers import DesiredWorkerRow, GpuRequestRow, GpuWatchRow, StartedWorkerRow

__all__ = [
    "ActionRow",
    "AlertRow",
    "AuditRow",
    "BurstRow",
    "CardRow",
    "CreatedExperimentRow",
    "CurrentExperimentRow",
    "DailyDigestRow",
    "DesiredWorkerRow",
    "DirectMessageRow",
    "DraftEditRow",
    "ExperimentOptOutRow",
    "ExperimentStateRow",
    "GpuRequestRow",
    "GpuWatchRow",
    "HandledRequestRow",
    "IdentityRow",
    "LinkCodeRow",
    "MuteRow",
    "OutboxRow",
    "OwnActionRow",
    "OwnExperimentsOptOutRow",
    "PersonRow",
    "PrivateConversationRow",
    "QuestionRow",
    "QueueBindingRow",
    "QuietHoursRow",
    "StallRow",
    "StartedWorkerRow",
    "SubscriptionRow",
    "Table",
    "TimeZoneRow",
    "UtcDateTime",
    "WatchRow",
    "WatcherCursorRow",
]
