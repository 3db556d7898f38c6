"""The tables. Changing one here asks for a migration; a test compares the two."""

from clearml_chatops.storage.schema.base import Table, UtcDateTime
from clearml_chatops.storage.schema.experiments import (
    ActRow,
    CreatedExperimentRow,
    CurrentExperimentRow,
    DraftEditRow,
    ExperimentStateRow,
    OwnExperimentsOffRow,
    SubscriptionRow,
    UnwatchedRow,
    WatcherCursorRow,
    WatchRow,
)
from clearml_chatops.storage.schema.messages import ActionRow, CardRow, QuestionRow
from clearml_chatops.storage.schema.notifications import (
    AlertRow,
    DailyDigestRow,
    MuteRow,
    OutboxRow,
    QuietHoursRow,
    StandstillRow,
)
from clearml_chatops.storage.schema.people import (
    AuditRow,
    IdentityRow,
    LinkCodeRow,
    OwnPlaceRow,
    PersonRow,
    PrivateConversationRow,
    QueueBindingRow,
    TimeZoneRow,
)
from clearml_chatops.storage.schema.workers import CardQuestionRow, CardWatchRow, StartedWorkerRow, WantedWorkerRow

__all__ = [
    "ActRow",
    "ActionRow",
    "AlertRow",
    "AuditRow",
    "CardQuestionRow",
    "CardRow",
    "CardWatchRow",
    "CreatedExperimentRow",
    "CurrentExperimentRow",
    "DailyDigestRow",
    "DraftEditRow",
    "ExperimentStateRow",
    "IdentityRow",
    "LinkCodeRow",
    "MuteRow",
    "OutboxRow",
    "OwnExperimentsOffRow",
    "OwnPlaceRow",
    "PersonRow",
    "PrivateConversationRow",
    "QuestionRow",
    "QueueBindingRow",
    "QuietHoursRow",
    "StandstillRow",
    "StartedWorkerRow",
    "SubscriptionRow",
    "Table",
    "TimeZoneRow",
    "UnwatchedRow",
    "UtcDateTime",
    "WantedWorkerRow",
    "WatchRow",
    "WatcherCursorRow",
]
