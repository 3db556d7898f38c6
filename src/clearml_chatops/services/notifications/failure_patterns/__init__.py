"""The table of failure causes, a row for each. Where two rows match the same line, the earlier row counts."""

from clearml_chatops.services.notifications.failure_patterns.code import CODE_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.containers import CONTAINER_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.files import FILE_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.gpus import GPU_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.machines import MACHINE_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.packages import PACKAGE_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.processes import PROCESS_PATTERNS
from clearml_chatops.services.notifications.failure_patterns.sources import SOURCE_PATTERNS

FAILURE_PATTERNS = (
    *GPU_PATTERNS,
    *MACHINE_PATTERNS,
    *CONTAINER_PATTERNS,
    *SOURCE_PATTERNS,
    *PACKAGE_PATTERNS,
    *FILE_PATTERNS,
    *CODE_PATTERNS,
    *PROCESS_PATTERNS,
)
