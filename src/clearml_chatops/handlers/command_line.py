"""Parsing a command line into words: undoes the typography of phones, and reads quotes as a shell does."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clearml_chatops.models.errors import LineTooLongError, UnbalancedQuoteError

MAX_LINE_LENGTH = 20_000
"""Characters in one command line. Slack cuts texts at 40,000, and nobody types half of that."""

_DOUBLE_QUOTE = re.compile(r"(?<!\\)[“”„‟«»]")
_INVISIBLE = re.compile(r"(?<!\\)[\u200b\u2060\ufeff\u200e\u200f]")
"""Joiners are not included: they connect the parts of an emoji, and the letters of some scripts."""
_NON_BREAKING_SPACE = re.compile(r"(?<!\\)\xa0")
_SINGLE_QUOTE = re.compile(r"(?<!\\)(?:(?<!\w)[‘’‚‛]|[‘’‚‛](?!\w))")
_TYPOGRAPHY = re.compile(r"[—–‘’‚‛“”„‟«»\xa0\u200b\u2060\ufeff\u200e\u200f]")
_EM_DASH_OPTION = re.compile(r"(?:(?<=^)|(?<=[\s\"'=]))—(?=\w)")
_EN_DASH_OPTION = re.compile(r"(?:(?<=^)|(?<=[\s\"'=]))–(?=[^\W\d]\w)")
_EN_DASH_MINUS = re.compile(r"(?:(?<=^)|(?<=[\s\"'=]))–(?=\w)")
_KEY = re.compile(r"(?:--)?[A-Za-z_][\w./:-]*\Z")
_NEEDS_QUOTES = re.compile(r"[\s'\"\\]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line. `text` is the whole word, `key` the part before the first unquoted `=`.

    The key of `--name=value` includes the dashes. `quoted` is whether any part was quoted: such a word is
    text, even if it looks like a flag.
    """

    text: str
    key: str | None = None
    quoted: bool = False

    @property
    def value(self) -> str:
        """The part after `key=`, or the whole word if there is no key."""
        return self.text if self.key is None else self.text[len(self.key) + 1 :]

    def with_value(self, value: str) -> "Word":
        """Return the word with another value after its key, or with another text if it has no key."""
        return Word(value if self.key is None else f"{self.key}={value}", self.key, self.quoted)


def undo_typography(line: str) -> str:
    """Return the line with plain quotes, dashes and spaces in place of a phone's typographic ones.

    Phones turn `"` into “ ” and `--` into —. An apostrophe inside a word and a dash between spaces are
    prose and are kept, as is any character after a backslash.
    """
    line = _INVISIBLE.sub("", _DOUBLE_QUOTE.sub('"', line))
    line = _SINGLE_QUOTE.sub("'", _NON_BREAKING_SPACE.sub(" ", line))
    line = _EM_DASH_OPTION.sub("--", line)
    line = _EN_DASH_OPTION.sub("--", line)
    return _EN_DASH_MINUS.sub("-", line)


def has_typography(text: str) -> bool:
    """Return whether a text has characters that `undo_typography` may replace."""
    return bool(_TYPOGRAPHY.search(text))


def split_words(line: str) -> list[Word]:
    """Return the words of a line, quoted as in a shell: '…' is literal, "…" and bare words take backslashes.

    Raises:
        LineTooLongError: the line is longer than `MAX_LINE_LENGTH`.
        UnbalancedQuoteError: a quote is not closed.
    """
    if len(line) > MAX_LINE_LENGTH:
        raise LineTooLongError(length=f"{len(line):,}", limit=f"{MAX_LINE_LENGTH:,}")
    return _Splitter(undo_typography(line)).split()


def join_words(words: Iterable[Word]) -> str:
    """Return a line that `split_words` splits into the same words again."""
    return " ".join((f"{word.key}=" if word.key is not None else "") + _format_value(word) for word in words)


def _format_value(word: Word) -> str:
    """Return a word's value as a person types it, in quotes if it was quoted, because quotes make it text."""
    if not word.quoted and not _NEEDS_QUOTES.search(word.value):
        return word.value
    text = word.value.replace("'", "'\"'\"'")
    # Typographic characters need a backslash, or `undo_typography` would replace them.
    return "'" + _TYPOGRAPHY.sub(r"'\\\g<0>'", text) + "'"


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
        quoted = False
        while self._position < len(self._line) and not (character := self._line[self._position]).isspace():
            if character in "'\"":
                quoted = True
                text.append(self._read_quoted(character))
                continue
            if character == "=" and key is None and not quoted and _KEY.match(before := "".join(text)):
                key = before
            if character == "\\" and self._position + 1 < len(self._line):
                self._position += 1
                quoted = True
                character = self._line[self._position]
            text.append(character)
            self._position += 1
        return Word("".join(text), key, quoted)

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
