"""Failures of the machine that a run is on: memory, disk, network, its ClearML credentials."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE,
    CHANGE_CONTAINER,
    CHECK_WORKER,
    RETRY,
    FailureCause,
    FailurePattern,
    NextStep,
    Precision,
)

MACHINE_PATTERNS = (
    FailurePattern(
        FailureCause.OPEN_FILES,
        r"Too many open files|received 0 items of ancdata",
        "The run has too many open files.",
        "Add --ulimit nofile=65535 to its container arguments, or use fewer data loader workers.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.HOST_OUT_OF_MEMORY,
        r"out of shared memory|insufficient shared memory|is killed by signal: Bus error"
        r"|unable to (?:open|mmap|resize|allocate) shared memory|unable to write to file </torch_"
        r"|No space left on device: '/dev/shm",
        "Out of shared memory: the container's /dev/shm is too small.",
        "Add --shm-size=16g or --ipc=host to its container arguments, or use fewer data loader workers.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.HOST_OUT_OF_MEMORY,
        r"^(?:numpy\.[\w.]{1,40})?_?(?:Array)?MemoryError\b"
        r"|Unable to allocate ([\d.]{1,12} [KMGTP]iB) for an array"
        r"|DefaultCPUAllocator: (?:can't allocate|not enough) memory|std::bad_alloc|Cannot allocate memory",
        "Out of memory on the machine{: it needed another X}.",
        "Load less data at once, use fewer data loader workers, or use a machine with more memory.",
        (NextStep.CLONE, NextStep.SHOW_LOG, NextStep.RETRY),
    ),
    FailurePattern(
        FailureCause.HOST_OUT_OF_MEMORY,
        r"DataLoader worker \(pid[^)\n]{0,60}\) is killed by signal: Killed|oom[-_]kill|OOMKilled"
        r"|[Oo]ut of memory: Killed process|task was killed due to the node running low on memory",
        "The machine ran out of memory and killed the run.",
        "Use fewer data loader workers, or retry when less runs on the machine.",
        RETRY,
    ),
    FailurePattern(
        FailureCause.NO_SPACE,
        r"[Nn]o space left on device|Disk quota exceeded",
        "No disk space left on the machine.",
        "Free some space there, then retry.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.CREDENTIALS,
        r"Failed getting token|Unauthorized \(invalid credentials\)|Could not find task id=",
        "ClearML refused the worker's credentials.",
        "Check them in the worker's clearml.conf, restart the worker, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.CREDENTIALS,
        r"Cannot access gated repo for url (https?://[^\s]{1,120})"
        r"|NoCredentialsError: (Unable to locate credentials)"
        r"|UsageError: (api_key not configured)|DefaultCredentialsError: ([^\n]{1,120})"
        r"|HTTPError: (40[13] Client Error: [^\n]{1,160})|An error occurred \((AccessDenied|InvalidAccessKeyId)\)",
        "A service refused the run, because credentials are missing or wrong{: X}.",
        "Pass its token to the container, like -e HF_TOKEN=…, or ask for access.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.NETWORK,
        r"(?:couldn't|Can't) (?:connect to|load[^\n]{1,120} from) '(https?://[^'\n]{1,160})'"
        r"|^(?:requests|urllib3|aiohttp|httpx|httpcore|botocore)\.[\w.]{1,80}: "
        r"HTTPS?ConnectionPool\(host='([^'\n]{1,120})'"
        r"|EndpointConnectionError: Could not connect to the endpoint URL: \"([^\"\n]{1,160})\""
        r"|[Ii]t seems \*api_server\* is misconfigured\. Is this the ClearML API server (https?://[^\s?]{1,120})",
        "The machine couldn't reach{ X} over the network.",
        "Check the machine's network and proxy, then retry.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.NETWORK,
        r"^[\w.]{0,80}(?:Error|Exception|Timeout): [^\n]{0,160}"
        r"(Temporary failure in name resolution|Name or service not known|Network is unreachable"
        r"|No route to host|Connection timed out|CERTIFICATE_VERIFY_FAILED|Connection refused)",
        "The run lost or couldn't get a network connection{: X}.",
        "Check the machine's network and proxy, then retry.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.WORKER_LOST,
        r"^ClearML's reason: [^\n]{0,200}(?:[Nn]on[- ]responsive|[Ww]atchdog|stopped reporting|Forced stop"
        r"|[Ww]orker (?:lost|is gone)|host rebooted)",
        "The worker stopped reporting: its machine may be rebooting, off or offline.",
        "Check it with /worker, then retry.",
        CHECK_WORKER,
        is_machine_fault=True,
        precision=Precision.GENERAL,
    ),
    FailurePattern(
        FailureCause.SYSTEM_LIBRARY,
        r"(lib[\w.+-]{1,80}): cannot open shared object file|version `(\w{1,20}_[\d.]{1,20})' not found"
        r"|OSError: Could not find library ([\w.+-]{1,80})",
        "A system library is missing{: X}.",
        "Install its package in the container's setup script, like apt-get install -y libgl1 for libGL.so.1, "
        "or use an image that has it.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.SYSTEM_LIBRARY,
        r"^(?:/\w{1,10}/)?(?:ba|da)?sh: (?:line )?(?:\d{1,5}: )?([\w.+-]{1,60}): (?:command )?not found",
        "A program is missing{: X}.",
        "Install it in the container's setup script, or use an image that has it.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.DISTRIBUTED,
        r"Duplicate GPU detected",
        "Two ranks of the run use the same GPU.",
        "Start as many processes as the run has GPUs, and give each rank its own.",
        CHANGE,
    ),
    FailurePattern(
        FailureCause.DISTRIBUTED,
        r"port: (\d{1,5})[^\n]{0,160}EADDRINUSE|EADDRINUSE|Address already in use",
        "The port that the run's ranks use{, X,} is taken on this machine, maybe by another run.",
        "Use another port, like --master_port 29501, or retry when the other run has ended.",
        (NextStep.CLONE, NextStep.RETRY, NextStep.SHOW_LOG),
    ),
)
