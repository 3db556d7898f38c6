"""Parsing a command line into words: undoes the typography of phones, and reads quotes as a shell does."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from clearml_chatops.handlers.bracketed_text import find_end
from clearml_chatops.models.errors import LineTooLongError, UnbalancedQuoteError

MAX_LINE_LENGTH = 20_000
"""Characters in one command line. Slack cuts texts at 40,000, and nobody types half of that."""

_DOUBLE_QUOTE = re.compile(r"(?<!\\)[“”„‟«»]")
_INVISIBLE = re.compile(r"(?<!\\)[\u200b\u2060\ufeff\u200e\u200f]")
"""Joiners are not included: they connect the parts of an emoji, and the letters of some scripts."""
_NON_BREAKING_SPACE = re.compile(r"(?<!\\)\xa0")
_SINGLE_QUOTE = re.compile(r"(?<!\\)(?:(?<!\w)[‘’‚‛]|[‘’‚‛](?!\w))")
_TYPOGRAPHY = re.compile(r"[—–\u2212‘’‚‛“”„‟«»\xa0\u200b\u2060\ufeff\u200e\u200f]")
_EM_DASH_OPTION = re.compile(r"(?:(?<=^)|(?<=[\s\"'=]))—(?=\w)")
_EN_DASH_OPTION = re.compile(r"(?:(?<=^)|(?<=[\s\"'=]))–(?=[^\W\d]\w)")
_MINUS = re.compile(
    r"""(?:(?<=^)|(?<=[\s"'=]))–(?=\w)                # an option: –v
    | (?:(?<=^)|(?<=[\s"'=,\[({]))[–\u2212](?=\.?\d)  # a number: −1, [−0.5, −.5]
    | (?<=\d[eE])[–\u2212](?=\d)                      # an exponent: 1e−4
    """,
    re.VERBOSE,
)
"""A dash that stands for a minus: before an option, a number, or in an exponent."""

_KEY = re.compile(r"(?:--)?[A-Za-z_][\w./:-]*\Z")
_QUOTED_KEY = re.compile(r"(?!--)[^./]+[./].", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"[\s'\"\\]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line. `text` is the whole word, `key` the part before the first unquoted `=`.

    The key of `--name=value` includes the dashes. In quotes, only a parameter with its section is a key, as in
    `"My section/a b"=1`. `quoted` is whether any part was quoted: such a word is text, even if it looks like
    a flag.
    """

    text: str
    key: str | None = None
    quoted: bool = False
    has_bare_comma: bool = field(default=False, compare=False)
    """Whether it ends with a comma that isn't quoted, as in `args.note="two words", args.lr=1`."""

    @property
    def value(self) -> str:
        """The part after `key=`, or the whole word if there is no key."""
        return self.text if self.key is None else self.text[len(self.key) + 1 :]

    def with_value(self, value: str) -> "Word":
        """Return the word with another value after its key, or with another text if it has no key."""
        return Word(value if self.key is None else f"{self.key}={value}", self.key, self.quoted)


def undo_typography(line: str) -> str:
    """Return the line with plain quotes, dashes, minuses and spaces in place of a phone's typographic ones.

    Phones turn `"` into “ ” and `--` into —. An apostrophe inside a word and a dash between spaces are
    prose and are kept, as is any character after a backslash.
    """
    line = _INVISIBLE.sub("", _DOUBLE_QUOTE.sub('"', line))
    line = _SINGLE_QUOTE.sub("'", _NON_BREAKING_SPACE.sub(" ", line))
    line = _EM_DASH_OPTION.sub("--", line)
    line = _EN_DASH_OPTION.sub("--", line)
    return _MINUS.sub("-", line)


def has_typography(text: str) -> bool:
    """Return whether a text has characters that `undo_typography` may replace."""
    return bool(_TYPOGRAPHY.search(text))


def split_words(line: str) -> list[Word]:
    """Return the words of a line, quoted as in a shell: '…' is literal, "…" and bare words take backslashes.

    A list or dictionary needs no quotes: `[4, 5]` and `args.x={'a': 2}` are one word, literal within its brackets.

    Raises:
        LineTooLongError: the line is longer than `MAX_LINE_LENGTH`.
        UnbalancedQuoteError: a quote is not closed.
    """
    if len(line) > MAX_LINE_LENGTH:
        raise LineTooLongError(length=f"{len(line):,}", limit=f"{MAX_LINE_LENGTH:,}")
    return _Splitter(undo_typography(line)).split()


def join_words(words: Iterable[Word]) -> str:
    """Return a line that `split_words` splits into the same words again."""
    return " ".join(
        (f"{format_key(word.key)}=" if word.key is not None else "") + _format_value(word) for word in words
    )


def format_key(key: str) -> str:
    """Return the key of a word as a person types it."""
    return key if _KEY.match(key) else _quote(key)


def _format_value(word: Word) -> str:
    """Return a word's value as a person types it, in quotes if it was quoted, because quotes make it text."""
    if not word.quoted and not _NEEDS_QUOTES.search(word.value):
        return word.value
    return f"{_quote(word.value[:-1])}," if word.has_bare_comma else _quote(word.value)


def _quote(text: str) -> str:
    # Typographic characters need a backslash, or `undo_typography` would replace them.
    return "'" + _TYPOGRAPHY.sub(r"'\\\g<0>'", text.replace("'", "'\"'\"'")) + "'"


def _is_key(text: str, *, quoted: bool) -> bool:
    """Return whether the text before an `=` is a key. In quotes, it is one only if it has a section."""
    if not quoted:
        return bool(_KEY.match(text))
    return bool(_QUOTED_KEY.match(text)) and "://" not in text


class _Splitter:
    """Splits a line into words. The standard shlex cannot tell whether an `=` was quoted."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._position = 0

    def split(self) -> list[Word]:
        words = []
        while self._skip_spaces():
            words.append(self._read_word())
        return words

    def _skip_spaces(self) -> bool:
        while self._position < len(self._line) and self._line[self._position].isspace():
            self._position += 1
        return self._position < len(self._line)

    def _read_word(self) -> Word:
        text: list[str] = []
        key: str | None = None
        quoted = has_bare_comma = False
        while self._position < len(self._line) and not (character := self._line[self._position]).isspace():
            has_bare_comma = character == ","
            if character in "'\"":
                quoted = True
                text.append(self._read_quoted(character))
                continue
            if character in "[({" and (not text or text[-1] in {"=", ","}) and (literal := self._read_bracketed()):
                quoted = quoted or bool(_NEEDS_QUOTES.search(literal))
                text.append(literal)
                continue
            if character == "=" and key is None and _is_key("".join(text), quoted=quoted):
                key = "".join(text)
            if character == "\\" and self._escapes_next():
                self._position += 1
                quoted = True
                character = self._line[self._position]
            text.append(character)
            self._position += 1
        return Word("".join(text), key, quoted, has_bare_comma)

    def _escapes_next(self) -> bool:
        r"""Return whether the backslash here escapes: not before a letter or digit, as in C:\models and \d."""
        following = self._line[self._position + 1 : self._position + 2]
        return bool(following) and not (following.isascii() and following.isalnum())

    def _read_bracketed(self) -> str:
        """Return a list or dictionary with its brackets, and go behind it; an empty string if it's none."""
        start, end = self._position, find_end(self._line, self._position)
        if end is None:
            return ""
        self._position = end
        return self._line[start:end]

    def _read_quoted(self, quote: str) -> str:
        start = self._position + 1
        text: list[str] = []
        position = start
        while position < len(self._line):
            character = self._line[position]
            if character == quote:
                self._position = position + 1
                return "".join(text)
            if character == "\\" and quote == '"' and self._line[position + 1 : position + 2] in {'"', "\\"}:
                position += 1
                character = self._line[position]
            text.append(character)
            position += 1
        raise UnbalancedQuoteError(quote=quote, rest=self._line[start : start + 20])
