"""Files and folders that a run doesn't find or may not use: mostly a container without a mount or a user."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE,
    CHANGE_CONTAINER,
    FailureCause,
    FailurePattern,
    Remedy,
)

FILE_PATTERNS = (
    FailurePattern(
        FailureCause.PERMISSION,
        r"(?:Permission denied|Read-only file system): ['\"]?(/nonexistent[^'\"\n]{0,200}"
        r"|(?:/home/[^/'\"\n]{1,60}|/root)?/\.\w[^'\"\n]{0,200})"
        r"|[‘'\"`]((?:/home/[^/’'\"`\n]{1,60}|/root)?/\.\w[^’'\"`\n]{0,200})[’'\"`]: Permission denied",
        "The container's user has no home folder to write to{: X}.",
        "Add -e HOME=/tmp to its container arguments, next to --user.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.PERMISSION,
        r"Read-only file system: ['\"]?(/[^'\"\n]{1,300})|[‘'\"](/[^’'\"\n]{1,300})[’'\"]: Read-only file system",
        "The run can't write{ to X}: it's mounted read-only.",
        "Mount a folder to write to with -v, without :ro, in its container arguments.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.PERMISSION,
        r"(?:Permission denied|Operation not permitted): ['\"]?([^'\"\n]{1,300})"
        r"|[‘'\"`]([^’'\"`\n]{1,300})[’'\"`]: (?:Permission denied|Operation not permitted)"
        r"|^[\w/]{1,40}: (?:line )?(?:\d{1,5}: )?(\S{1,200}): Permission denied$"
        r"|errno = 13, error message = 'Permission denied'",
        "The run may not use{ X}: its user lacks the permission.",
        "Use the owner of the folder for --user in its container arguments, like --user 1000:1000.",
        CHANGE_CONTAINER,
        remedy=Remedy.USER,
    ),
    FailurePattern(
        FailureCause.FILE_MISSING,
        r"(?:No such file or directory|No such file|Not a directory)[^\n/'\"]{0,20}: ['\"]?(/[^'\"\n]{1,300})"
        r"|[‘'\"](/[^’'\"\n]{1,300})[’'\"]: No such file or directory"
        r"|name = '(/[^'\n]{1,300})', errno = 2"
        r"|^FileNotFoundError: (?!\[Errno)[^\n]{0,120}?['\" ](/[^'\"\s]{1,300})"
        r"|^[\w.]{0,80}Error: [^\n]{0,60}(?:Found 0 files|[Dd]ataset not found|does(?: not|n't) exist"
        r"|[Cc]an(?:not|'t) find)[^\n/]{0,60}['\" ](/[^'\",\s]{1,300})"
        r"|^[\w.]{0,80}Error: ?[^\n/]{0,60}(/[^'\",\s]{1,300})['\"]? [^\n]{0,60}"
        r"(?:does(?: not|n't) exist|not found)",
        "A file or folder is missing where it ran{: X}.",
        "If the machine has it, mount its folder with -v in its container arguments.",
        CHANGE_CONTAINER,
        remedy=Remedy.MOUNT,
    ),
    FailurePattern(
        FailureCause.FILE_MISSING,
        r"^FileNotFoundError: (?:\[Errno 2\] No such file or directory: )?['\"]?([^'\"\n]{1,300})",
        "A file or program is missing where it ran{: X}.",
        "Add it to the repository or install it, or give the whole path, with its folder mounted with -v.",
        CHANGE,
    ),
)
