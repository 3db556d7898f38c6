"""Failures of the code and its arguments that deserve more advice than the error's own words."""

from clearml_chatops.services.notifications.failure_patterns.rows import (
    CHANGE_PARAMETERS,
    RETRY,
    FailureCause,
    FailurePattern,
    Precision,
)

CODE_PATTERNS = (
    FailurePattern(
        FailureCause.ARGUMENTS,
        r"^[\w./-]{1,120}: error: ((?:unrecognized arguments|the following arguments are required"
        r"|ambiguous option): [^\n]{1,200}|argument [^\n]{1,200})"
        r"|^[\w./-]{1,120}\.py: error: ([^\n]{1,200})"
        r"|^Error: ((?:No such option|Missing (?:option|argument)|Invalid value for"
        r"|Got unexpected extra)[^\n]{1,160})"
        r"|^ERROR: (Could not consume arg: [^\n]{1,120})",
        "The script doesn't accept its arguments{: X}.",
        "Clone it and correct them with /set or /unset.",
        CHANGE_PARAMETERS,
    ),
    FailurePattern(
        FailureCause.ARGUMENTS,
        r"Could not override '([^'\n]{1,160})'|Error parsing override '([^'\n]{1,160})'"
        r"|Could not find '([^'\n]{1,160})'$|MissingConfigException: ([^\n]{1,160})"
        r"|(?:ConfigAttributeError|ConfigKeyError|MissingMandatoryValue): ([^\n]{1,160})",
        "The configuration doesn't accept an override{: X}.",
        "Clone it and correct it with /set or /unset; a plus in front, as in +x=1, adds a new key.",
        CHANGE_PARAMETERS,
    ),
    FailurePattern(
        FailureCause.ARGUMENTS,
        r"Key '([^'\n]{1,160})' is not in struct",
        "The configuration has no key{ X}.",
        "Clone it and correct it with /set or /unset; a plus in front, as in +x=1, adds a new key.",
        CHANGE_PARAMETERS,
        precision=Precision.GENERAL,
    ),
    FailurePattern(
        FailureCause.CODE,
        r"Error\(s\) in loading state_dict for (\w{1,80})|(?:Missing|Unexpected) key\(s\) in state_dict",
        "The checkpoint doesn't fit the model{ X}: its state_dict has other names or sizes.",
        "Use the checkpoint's own model settings, or another checkpoint.",
        CHANGE_PARAMETERS,
    ),
    FailurePattern(
        FailureCause.CODE,
        r"^[\w.]{0,80}(?:Error|Exception): ([^\n]{0,120}\b(?:NaN|nan|NAN)s?\b[^\n]{0,80})",
        "A value became NaN{: X}.",
        "Use a lower learning rate, clip gradients, or check the data.",
        CHANGE_PARAMETERS,
    ),
    FailurePattern(
        FailureCause.INTERRUPTED,
        r"^KeyboardInterrupt\b|^User aborted: stopping task|^Aborted!$",
        "The run was stopped by an interrupt, as from Ctrl+C.",
        "Retry if nobody meant to stop it.",
        RETRY,
    ),
)
