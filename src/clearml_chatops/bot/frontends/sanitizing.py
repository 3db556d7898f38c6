"""Functions that make foreign text harmless: control characters become visible.

Names and log lines come from training scripts. An escape sequence could overwrite the bot's own words, a
direction override could turn `gpj.exe` into `exe.jpg`, and a newline could start a fake line.
"""

import re

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # a title or a link, with its text
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # a colour or a movement of the cursor
    r"|\x1b[()*+][0-9A-Za-z]"  # a character set
)
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_MISLEADING_CHARACTERS = re.compile(
    "[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_NEWLINE_SYMBOL = "\N{RETURN SYMBOL}"
_TAB_WIDTH = 8


def sanitize_line(text: str) -> str:
    """Return a name or a label on one line, with line breaks and control characters made visible."""
    return sanitize_text(text.replace("\r\n", "\n")).replace("\n", _NEWLINE_SYMBOL)


def sanitize_text(text: str) -> str:
    """Return a text that may have several lines, with all other control characters made visible."""
    return _MISLEADING_CHARACTERS.sub(
        _REPLACEMENT, _CONTROL_CHARACTERS.sub(_to_control_picture, text.replace("\r\n", "\n"))
    )


def sanitize_log(text: str) -> str:
    """Return a log without colours, with each state of an overwritten progress line on a line of its own."""
    plain = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return sanitize_text(plain.expandtabs(_TAB_WIDTH))


def _to_control_picture(match: re.Match[str]) -> str:
    """Return Unicode's picture of a control character; those above ASCII have none."""
    code = ord(match[0])
    if match[0] == "\t":
        return " "
    if code == ord("\x7f"):
        return "\N{SYMBOL FOR DELETE}"
    return chr(0x2400 + code) if code < ord(" ") else _REPLACEMENT
