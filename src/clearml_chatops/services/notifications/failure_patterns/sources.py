"""Failures to fetch the code: Git, and experiments without code."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHECK_WORKER,
    RETRY,
    FailureCause,
    FailurePattern,
    NextStep,
    Precision,
)

_CHANGE_CODE = (NextStep.CLONE, NextStep.SHOW_CODE, NextStep.SHOW_LOG)
_PUSH_CODE = (NextStep.RETRY, NextStep.SHOW_CODE, NextStep.CLONE, NextStep.SHOW_LOG)

SOURCE_PATTERNS = (
    FailurePattern(
        FailureCause.NO_CODE,
        r"Can not run task without repository or literal script",
        "The experiment has no code: no repository and no script.",
        "Clone an experiment that has code, or create one from a script.",
        (NextStep.SHOW_CODE, NextStep.CLONE, NextStep.SHOW_LOG),
    ),
    FailurePattern(
        FailureCause.NO_CODE,
        r"can't open file '([^'\n]{1,300})': \[Errno 2\]|can't find '__main__' module in '([^'\n]{1,300})'"
        r"|Error while finding module specification for '([^'\n]{1,200})'",
        "The script to run isn't in the code{: X}.",
        "Clone it and correct the branch, commit or entry point with /script.",
        _CHANGE_CODE,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"Host key verification failed",
        "Couldn't fetch the code: the worker's machine doesn't know the Git server's host key.",
        "Add it to known_hosts there with ssh-keyscan, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"(Permission denied \(publickey[^)\n]{0,60}\))|fatal: (Authentication failed[^\n]{0,160})"
        r"|fatal: (unable to access '[^'\n]{1,160}': The requested URL returned error: 40[13])"
        r"|fatal: (could not read (?:Username|Password)[^\n]{0,160})|remote: (HTTP Basic: Access denied)",
        "Couldn't fetch the code{: X}.",
        "Give the worker access to the repository, in its clearml.conf or with an SSH key, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"^(?:fatal|ssh|error): ([^\n]{0,160}(?:Could not resolve host(?:name)?|Connection timed out"
        r"|Connection refused|Failed to connect|gnutls_handshake|SSL|certificate verification failed"
        r"|early EOF|RPC failed)[^\n]{0,120})",
        "Couldn't fetch the code: no connection to the Git server{: X}.",
        "Check the machine's network, then retry.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"fatal: (reference is not a tree: \w{1,64}|bad object \w{1,64}|couldn't find remote ref \S{1,160}"
        r"|Remote branch \S{1,160} not found|repository '[^'\n]{0,200}' not found)"
        r"|remote: (Repository not found)|error: (pathspec '[^'\n]{1,160}' did not match)",
        "Couldn't fetch the code{: X}.",
        "Push the commit and retry, or clone it and choose another with /script.",
        _PUSH_CODE,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"Failed applying git diff|^error: (patch failed: [^\n]{1,160})|^error: (corrupt patch[^\n]{1,80})",
        "The uncommitted changes of the experiment don't fit its commit{: X}.",
        "Commit and push them, then clone it and choose that commit with /script.",
        _CHANGE_CODE,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"(dubious ownership in repository[^\n]{0,160})|(smudge filter lfs failed)"
        r"|fatal: (clone of '[^'\n]{1,160}' into submodule path[^\n]{0,120}failed)",
        "Couldn't fetch the code{: X}.",
        "Check the worker's access to the repository, its submodules and its LFS files, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.GIT,
        r"Repository cloning failed|[Ff]ailed cloning repository|fatal: (Could not read from remote repository)",
        "Couldn't fetch the code{: X}.",
        "Push the commit and check the worker's access to the repository, then retry.",
        _PUSH_CODE,
        precision=Precision.GENERAL,
    ),
)
