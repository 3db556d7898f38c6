"""From what a person typed to words: phones' typography undone, quotes honoured as in a shell."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from clearml_chatops.models.errors import LineTooLongError, UnbalancedQuoteError

MAX_LINE_LENGTH = 20_000
"""Characters of one command line. Slack cuts texts at 40,000; nobody types half of that."""

_DOUBLE_QUOTE = re.compile(r"(?<!\\)[“”„‟«»]")
_INVISIBLE = re.compile(r"(?<!\\)[\u200b\u2060\ufeff\u200e\u200f]")
"""Joiners are not among them: they hold the parts of an emoji together, and the letters of some scripts."""
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
    """One word of a line. `key` is what stands before the first unquoted `=`, `text` the whole word.

    The key of `--name=value` has its dashes. `quoted` tells whether any part stood in quotes: such a
    word is text, whatever it looks like.
    """

    text: str
    key: str | None = None
    quoted: bool = False

    @property
    def value(self) -> str:
        """What stands after `key=`; the whole word where there is no key."""
        return self.text if self.key is None else self.text[len(self.key) + 1 :]

    def with_value(self, value: str) -> "Word":
        """The same word with another value behind its key, or another text where it has none."""
        return Word(value if self.key is None else f"{self.key}={value}", self.key, self.quoted)


def undo_typography(line: str) -> str:
    """The line as a keyboard would have sent it.

    Phones turn `"` into “ ” and `--` into —. An apostrophe inside a word and a dash between spaces are
    prose, and stay; so does what has a backslash before it.
    """
    line = _INVISIBLE.sub("", _DOUBLE_QUOTE.sub('"', line))
    line = _SINGLE_QUOTE.sub("'", _NON_BREAKING_SPACE.sub(" ", line))
    line = _EM_DASH_OPTION.sub("--", line)
    line = _EN_DASH_OPTION.sub("--", line)
    return _EN_DASH_MINUS.sub("-", line)


def has_typography(text: str) -> bool:
    """Whether a text has characters that `undo_typography` may take for a phone's doing."""
    return bool(_TYPOGRAPHY.search(text))


def split_words(line: str) -> list[Word]:
    """The words of a line, quoted as in a shell: '…' as it is, "…" and bare words with backslash.

    Raises:
        LineTooLongError: the line is longer than `LONGEST_LINE`.
        UnbalancedQuoteError: a quote is not closed.
    """
    if len(line) > MAX_LINE_LENGTH:
        raise LineTooLongError(length=f"{len(line):,}", limit=f"{MAX_LINE_LENGTH:,}")
    return _Splitter(undo_typography(line)).split()


def join_words(words: Iterable[Word]) -> str:
    """A line that `split_words` takes apart into these words again."""
    return " ".join((f"{word.key}=" if word.key is not None else "") + _format_value(word) for word in words)


def _format_value(word: Word) -> str:
    """A word's value as it is typed: in quotes where it was quoted, since they make it text."""
    if not word.quoted and not _NEEDS_QUOTES.search(word.value):
        return word.value
    text = word.value.replace("'", "'\"'\"'")
    # What got through was escaped, or it would have become what a keyboard sends.
    return "'" + _TYPOGRAPHY.sub(r"'\\\g<0>'", text) + "'"


class _Splitter:
    """The standard shlex does not tell where an unquoted `=` stood, hence a reader of our own."""

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
