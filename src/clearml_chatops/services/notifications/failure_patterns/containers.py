"""Failures of Docker: the daemon, the image, mounts and users."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE_CONTAINER,
    CHECK_WORKER,
    RETRY,
    FailureCause,
    FailurePattern,
    NextStep,
    Precision,
)

CONTAINER_PATTERNS = (
    FailurePattern(
        FailureCause.DOCKER,
        r"[Pp]ermission denied while trying to connect to the [Dd]ocker|Cannot connect to the Docker daemon"
        r"|failed to connect to the docker API|'docker' command was not found|docker: (?:command )?not found",
        "The worker can't use Docker on its machine.",
        "Start Docker there and add the worker's user to the group docker, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.MOUNT,
        r"bind source path does not exist: (\S{1,300})|error while creating mount source path '([^'\n]{1,300})'"
        r"|invalid volume specification: '([^'\n]{1,300})'|error mounting \"([^\"\n]{1,300})\""
        r"|\"([^\"\n]{1,200})\" includes invalid characters for a local volume name"
        r"|failed to mount local volume: mount ([^\s:]{1,300})"
        r"|The path (\S{1,300}) is not shared from|Mounts denied|invalid mount config"
        r"|invalid mount path: '([^'\n]{1,300})'",
        "Docker can't mount a folder into the container{: X}.",
        "Check -v in its container arguments: the path before the colon must exist on the machine, from the root.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.MOUNT,
        r"omitting directory '([^'\n]{0,120}clearml\.conf)'",
        "The container got a folder in place of{ X}, so it can't reach ClearML.",
        "If the worker itself runs in a container, mount /tmp of the machine into that, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.MOUNT,
        r"chdir to cwd \(\\?\"([^\"\\\n]{1,200})\\?\"\)",
        "The container's working folder doesn't exist{: X}.",
        "Mount it with -v in its container arguments, or change -w.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.PERMISSION,
        r"unable to find (?:user|group) ([^\s:]{1,60})|uid not found: (\d{1,10})"
        r"|cannot find name for user ID (\d{1,10})",
        "The container's image has no user{ X}.",
        "Use numbers for --user in its container arguments, like --user 1000:1000, "
        "and mount -v /etc/passwd:/etc/passwd:ro if the code needs the name.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.IMAGE,
        r"toomanyrequests|pull rate limit",
        "The registry refused to pull the image: too many pulls from this address.",
        "Retry in some hours, or log in to the registry on the machine.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.IMAGE,
        r"exec format error|no matching manifest for ([\w/]{1,60})",
        "The image is for another processor architecture than the machine's{: it needs X}.",
        "Use an image for this platform, or a worker with the image's platform.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.IMAGE,
        r"pull access denied for ([^\s,]{1,200})|manifest for (\S{1,200}) not found|manifest unknown"
        r"|docker: invalid reference format|unauthorized: authentication required"
        r"|failed to resolve reference \"([^\"\n]{1,200})\": [^\n]{1,200}: not found",
        "The image{ X} wasn't found or can't be pulled.",
        "Check its name with /container, and the worker's registry login.",
        (NextStep.CLONE, NextStep.SHOW_CONTAINER, NextStep.RETRY, NextStep.SHOW_LOG),
    ),
    FailurePattern(
        FailureCause.IMAGE,
        r"(?:daemon|docker): (?:Error response from daemon: )?(?:failed to resolve reference[^\n]{1,200}"
        r"|Get \"?https?://([^/\s\"]{1,120}))[^\n]{0,200}"
        r"(?:TLS handshake timeout|i/o timeout|request canceled|no such host|connection refused|deadline)",
        "The machine couldn't reach the registry{ X} to pull the image.",
        "Check the machine's network, then retry.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.DOCKER,
        r"^(?:docker: )?unknown (?:shorthand )?flag: ([^\n]{1,80})"
        r"|^docker: ((?:invalid|bad|conflicting|unknown) [^\n]{1,120})"
        r"|^invalid argument (\"[^\n]{1,120})",
        "Docker doesn't accept the container arguments{: X}.",
        "Clone it and correct them with /container.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.DOCKER,
        r"docker: Error response from daemon: ([^\n]{1,200})|OCI runtime create failed: ([^\n]{1,200})",
        "Docker couldn't start the container{: X}.",
        "Check its image and arguments with /container.",
        (NextStep.SHOW_CONTAINER, NextStep.CLONE, NextStep.RETRY, NextStep.SHOW_LOG),
        precision=Precision.GENERAL,
    ),
)
