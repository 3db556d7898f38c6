"""How processes of a run ended, and what that did to the others. The innermost kinds come first.

All are consequences: a rank that raised an error makes the others abort, and an agent reports only exit codes.
"""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE,
    CHANGE_CONTAINER,
    LOOK,
    RETRY,
    FailureCause,
    FailurePattern,
    Precision,
)

_EXIT_CODE = r"\b(?:exit|return) ?code:? {0,4}[:=]? {0,2}"
"""In front of the code, as clearml-agent, torchrun, multiprocessing and DeepSpeed write it."""

PROCESS_PATTERNS = (
    FailurePattern(
        FailureCause.CRASHED,
        rf"Segmentation fault|{_EXIT_CODE}(?:-11|139)\b|\bSIGSEGV\b",
        "The program crashed with a segmentation fault, in native code rather than in Python.",
        "Check that its packages fit each other; python -X faulthandler shows the line.",
        LOOK,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.CRASHED,
        rf"Illegal instruction|{_EXIT_CODE}(?:-4|132)\b|\bSIGILL\b",
        "The program crashed on an illegal instruction: a package was built for another processor.",
        "Run it on another machine, or use another version of that package.",
        CHANGE,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.KILLED,
        rf"{_EXIT_CODE}(?:-9|137|265|-15|143|271)\b|^Killed$|[Rr]eceived signal:? (?:9|15)\b"
        r"|Signal 9 \(SIGKILL\)"
        r"|died with <Signals\.SIG(?:KILL|TERM)|terminated with signal SIG(?:KILL|TERM)|got signal: 15\b"
        r"|Received (?:15|Signals\.SIGTERM) death signal",
        "The run was killed from outside: by a person, a reboot or a lack of memory.",
        "Check the machine, then retry.",
        RETRY,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.HOST_OUT_OF_MEMORY,
        rf"^Bus error|{_EXIT_CODE}(?:-7|135)\b|\bSIGBUS\b",
        "The program crashed with a bus error, mostly because the container's shared memory is too small.",
        "Add --shm-size=16g or --ipc=host to its container arguments.",
        CHANGE_CONTAINER,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.DISTRIBUTED,
        r"Watchdog caught collective operation timeout|Dist(?:Backend|Network|Store)Error|NCCL error"
        r"|nccl(?:Remote|System|Internal|UnhandledCuda)Error|NCCL communicator was aborted"
        r"|Rendezvous(?:Timeout|Connection|Closed)Error|\[c10d\] The client socket has (?:timed out|failed)"
        r"|gloo[\w/.:]{0,80}\] (?:Connection closed by peer|Timed out|Read error)|connectFullMesh failed"
        r"|unhandled (?:system|cuda) error|Socket Timeout",
        "A rank of the run hung, ended or couldn't be reached, so NCCL gave up in the other processes.",
        "Find the rank that failed first in the log. If none did, check the network between the GPUs, then retry.",
        LOOK,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.CRASHED,
        r"terminate called after throwing an instance of '([^'\n]{1,120})'|Fatal Python error: ([^\n]{1,100})"
        r"|(double free or corruption|corrupted size vs\. prev_size|free\(\): invalid pointer)"
        r"|Aborted \(core dumped\)|\bSIG(?:ABRT|FPE)\b"
        rf"|{_EXIT_CODE}(?:-6|134|-8|136)\b",
        "The program crashed in native code{: X}.",
        "Check that its packages fit each other; python -X faulthandler shows the line.",
        LOOK,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.CRASHED,
        r"DataLoader worker \(pid\(s\) [\d, ]{1,80}\) exited unexpectedly|Pin memory thread exited unexpectedly",
        "A data loader worker ended without a message, often for lack of memory.",
        "num_workers=0 shows its error; fewer workers need less memory.",
        LOOK,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.NETWORK,
        r"^(?:ConnectionResetError|ConnectionAbortedError|BrokenPipeError)\b",
        "A process or server that the run was connected to went away.",
        "Look in the log for what ended first, then retry.",
        LOOK,
        precision=Precision.CONSEQUENCE,
    ),
    FailurePattern(
        FailureCause.UNKNOWN,
        r"^ {0,8}exitcode {1,4}: (\d{1,3})\b",
        "A process of the run ended{ with exit code X}, and the log doesn't say why.",
        "To see its error, decorate the main function with @record of torch.distributed.elastic.",
        LOOK,
        precision=Precision.CONSEQUENCE,
    ),
)
