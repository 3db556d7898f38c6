"""GPUs as people type them: `0`, `gpu0`, `0-3`, also with the dashes that phones put in place of a minus."""

import re

_DASHES = r"\u2010-\u2015\u2212-"

GPU_NUMBERS = rf"(gpu)?\d{{1,3}}([,:{_DASHES}](gpu)?\d{{1,3}})*,?|(GPU|MIG)-[0-9a-f]\S*"
"""A pattern of the lists that can only be GPUs."""


def list_gpus(text: str) -> list[str]:
    """Return the GPUs of one part of a list: a number, a range like 0-3, or anything else unchanged."""
    text = re.sub(r"(?i)(?:^|(?<=-))gpu(?=\d)", "", re.sub(rf"\s*[{_DASHES}]\s*", "-", text))
    match = re.fullmatch(r"(\d{1,3})-(\d{1,3})", text)
    if match and int(match[1]) <= int(match[2]):
        return [str(number) for number in range(int(match[1]), int(match[2]) + 1)]
    return [str(int(text)) if re.fullmatch(r"\d{1,3}", text) else text]
