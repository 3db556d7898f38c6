"""Text from outside, made harmless: what a terminal would obey is shown instead.

Names and log lines come from whoever trains a model. An escape sequence in one could move the cursor over
our own words, a direction override could turn `gpj.exe` into `exe.jpg`, a newline could begin a false line.
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
    """A name or a label on one line: a line break and every control character becomes a visible sign."""
    return sanitize_text(text.replace("\r\n", "\n")).replace("\n", _NEWLINE_SYMBOL)


def sanitize_text(text: str) -> str:
    """A text that may have several lines; every other control character becomes a visible sign."""
    return _MISLEADING_CHARACTERS.sub(
        _REPLACEMENT, _CONTROL_CHARACTERS.sub(_to_control_picture, text.replace("\r\n", "\n"))
    )


def sanitize_log(text: str) -> str:
    """A log as people want to read it: colours left out, overwritten progress lines one below the other."""
    plain = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return sanitize_text(plain.expandtabs(_TAB_WIDTH))


def _to_control_picture(match: re.Match[str]) -> str:
    """Unicode's picture of a control character; those above ASCII have none."""
    code = ord(match[0])
    if match[0] == "\t":
        return " "
    if code == ord("\x7f"):
        return "\N{SYMBOL FOR DELETE}"
    return chr(0x2400 + code) if code < ord(" ") else _REPLACEMENT
