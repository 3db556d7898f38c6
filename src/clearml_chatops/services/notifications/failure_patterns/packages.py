"""Failures of Python packages: their installation with pip, conda, uv or Poetry, their import, their versions."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE,
    CHANGE_CONTAINER,
    RETRY,
    FailureCause,
    FailurePattern,
    Precision,
)

PACKAGE_PATTERNS = (
    FailurePattern(
        FailureCause.PACKAGES,
        r"pip\._vendor\.[\w.]{1,80}: [^\n]{0,80}HTTPS?ConnectionPool\(host='([^'\n]{1,120})'"
        r"|Retrying \(Retry\(total=0|error: Failed to fetch: `(https?://[^`\n]{1,160})`"
        r"|CondaHTTPError: HTTP [^\n]{0,40} for url <(https?://[^>\n]{1,160})>",
        "Couldn't install packages: the package index{ X} didn't answer over the network.",
        "Retry, or check the machine's network and proxy.",
        RETRY,
        is_machine_fault=True,
    ),
    FailurePattern(
        FailureCause.PACKAGES,
        r"(?:ResolvePackageNotFound|PackagesNotFoundError):[^\n]{0,160}\n {0,8}- ([^\n]{1,120})"
        r"|nothing provides (?:requested )?([^\n]{1,120})",
        "Conda has no package{ X} for this machine.",
        "Change the requirements or the channels, or use an image that has it.",
        CHANGE,
    ),
    FailurePattern(
        FailureCause.PACKAGES,
        r"Could not find a version that satisfies the requirement (\S{1,120})[^\n]{0,80}\(from versions: none\)",
        "Couldn't install a package{: X}. The package index has no version of it for this Python.",
        "Check its name and the Python version, or use an image that has it.",
        CHANGE_CONTAINER,
        precision=Precision.GENERAL,
    ),
    FailurePattern(
        FailureCause.PACKAGES,
        r"Could not find a version that satisfies the requirement (\S{1,120}) [^\n]{0,40}\(from versions: \d"
        r"|ERROR: (ResolutionImpossible)|Cannot install ([^\n]{1,120}) because these package versions have"
        r"|Failed building wheel for (\S{1,120})|Failed to build [`']?([^`'\s]{1,120})"
        r"|× (No solution found when resolving dependencies)|SolverProblemError"
        r"|E: Unable to locate package (\S{1,100})|Could not locate PyTorch version (\S{1,60}) matching"
        r"|(metadata-generation-failed)|InstallationSubprocessError"
        r"|Failed installing GIT/HTTPs package '([^'\n]{1,160})'",
        "Couldn't install a package{: X}.",
        "Change the requirements, or use an image that has it.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.PACKAGES,
        r"No matching distribution found for (\S{1,120})|Could not install packages"
        r"|Could not install task requirements|installing pip requirements failed",
        "Couldn't install the packages{: X}.",
        "Change the requirements, or use an image that has them.",
        CHANGE_CONTAINER,
        precision=Precision.GENERAL,
    ),
    FailurePattern(
        FailureCause.MODULE_MISSING,
        r"(?:ModuleNotFoundError|ImportError): No module named '?([\w.]{1,120})"
        r"|^[/\w.-]{1,200}python[\d.]{0,6}: No module named ([\w.]{1,120})",
        "The Python module{ X} is missing.",
        "Add its package to the requirements, the setup script or the image.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.MODULE_VERSION,
        r"ImportError: (cannot import name '[^'\n]{1,100}' from '[^'\n]{1,100}')"
        r"|AttributeError: (module '[^'\n]{1,100}' has no attribute '[^'\n]{1,100}')"
        r"|(undefined symbol: \w{1,100})|(compiled using NumPy 1\.x cannot be run)"
        r"|ValueError: (numpy\.dtype size changed)|(operator \w{1,60}::\w{1,60} does not exist)"
        r"|ImportError: ([\w-]{1,60}[<>=!~]{1,2}[\w.,<>=!]{1,40} is required[^\n]{0,100})"
        r"|(?:VersionConflict|DistributionNotFound): ([^\n]{1,160})",
        "An installed package has another version than the code needs{: X}.",
        "Pin the version in the requirements, or use an image that has it.",
        CHANGE_CONTAINER,
    ),
    FailurePattern(
        FailureCause.MODULE_VERSION,
        r"UnpicklingError: Weights only load failed",
        "PyTorch 2.6 and newer load only weights from a file, and this one holds more.",
        "Use torch.load(…, weights_only=False) if you trust the file, or an older PyTorch version.",
        CHANGE,
    ),
)
