"""Names and values in a line, as people type them: `lr=0.4`, `lr = 0.4`, `lr to 0.4`, `lr 0.4`, also with commas.

They become words of the form `name=value` that need no neighbours to be understood.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from clearml_chatops.handlers.command_line import Word, join_words, split_words

_SECTION_AND_NAME = re.compile(r"(?!.*://)[^\W\d][^./]*[./].+", re.DOTALL)
_BARE_NAME = re.compile(r"[^\W\d][\w-]*")
_NEXT_PAIR = re.compile(r",(?=[A-Za-z_]\w*[./][\w./:-]*=)")
_EXPERIMENT_AND_NAME = _NAME_AND_VALUE = 2  # words

IsOption = Callable[[Word], bool]


def has_section(text: str) -> bool:
    """Return whether a text looks like a section and a name: args.lr or Args/lr, but not 0.5 or a URL."""
    return bool(_SECTION_AND_NAME.fullmatch(text))


def is_name(text: str) -> bool:
    """Return whether a text looks like the name of a parameter, with or without its section."""
    return has_section(text) or bool(_BARE_NAME.fullmatch(text))


def is_typable(name: str) -> bool:
    """Return whether `name=value` can be typed for a name; with dashes in front it would be an option."""
    word = build_assignment(name, "x")
    return not name.startswith("--") and split_words(join_words([word])) == [word]


def build_assignment(name: str, value: str) -> Word:
    """Return the word `name=value`, whatever the value contains."""
    return Word(f"{name}={value}", name, quoted=True)


def join_assignments(words: Sequence[Word], *, is_option: IsOption, starts_with_name: bool) -> list[Word]:
    """Return the words of a line with each name and its value as one word; what is no such pair stays as typed.

    Where a line `starts_with_name`, as `/set` does, names need no section, and a space is enough before the value.
    """
    options = [word for word in words if is_option(word)]
    others = [word for word in words if not is_option(word)]
    others = _drop_ands(_replace_colons(others, starts_with_name=starts_with_name))
    joiner = _Joiner(others, starts_with_name=starts_with_name)
    return [*joiner.join(), *options]


def _replace_colons(words: Sequence[Word], *, starts_with_name: bool) -> list[Word]:
    """Read `args.lr: 0.4` as `args.lr = 0.4`; without a section only at the start: prose has colons too."""
    replaced: list[Word] = []
    for index, word in enumerate(words):
        name = word.text.removesuffix(":")
        is_bare = not word.quoted and word.key is None and name != word.text and index + 1 < len(words)
        can_be_name = has_section(name) or (starts_with_name and index == 0 and is_name(name))
        replaced += [Word(name), Word("=")] if is_bare and can_be_name else [word]
    return replaced


def _drop_ands(words: Sequence[Word]) -> list[Word]:
    """Return the words without each `and` before a pair with a section, as in `args.lr=1 and args.epochs to 3`."""
    return [
        word
        for index, word in enumerate(words)
        if index == 0 or not _is_and(word) or not _starts_pair(words[index + 1 : index + 3])
    ]


def _starts_pair(words: Sequence[Word]) -> bool:
    """Return whether `args.lr=…`, `args.lr = …` or `args.lr to …` begins here."""
    if not words or not has_section(words[0].key or words[0].text):
        return False
    following = words[1] if len(words) > 1 else None
    return words[0].key is not None or _begins_with_equals(following) or _is_word_to(following)


class _Joiner:
    """Reads the words from left to right, with one word of lookahead."""

    def __init__(self, words: Sequence[Word], *, starts_with_name: bool) -> None:
        self._words = words
        self._starts_with_name = starts_with_name
        self._index = 0
        self._has_pair = False
        self._is_after_comma = False

    def join(self) -> list[Word]:
        if not self._starts_with_name:
            return self._join_pairs()
        return self._try_to_join_spaced_pairs() or self._separate_open_value(self._join_pairs())

    def _join_pairs(self) -> list[Word]:
        """Join pairs with `=` or `to`; after the first of these, also those with only a space."""
        joined: list[Word] = []
        while word := self._peek():
            if self._is_explicit_pair() or (self._has_pair and self._is_spaced_pair()):
                joined += self._read_pair()
                self._has_pair = True
                continue
            joined.append(self._take())
            if has_section(word.text) and (value := self._peek()) and _is_dashed(value):
                joined.append(Word(self._take().text, quoted=True))
        return joined

    def _try_to_join_spaced_pairs(self) -> list[Word] | None:
        """Join `lr 0.4` at the start or behind the experiment, and all pairs that follow.

        None if there are more words than a name and a value: what they mean depends on the parameter.
        """
        count = self._count_words_before_explicit_pair()
        start = self._index = int(self._starts_with_experiment(count))
        if count - start < _NAME_AND_VALUE:
            self._index = 0
            return None
        joined: list[Word] = []
        while self._peek() and not self._is_explicit_pair():
            if joined and not self._is_spaced_pair():
                self._index = 0
                return None
            joined += self._read_pair()
        return [*self._words[:start], *joined, *self._join_pairs()]

    def _separate_open_value(self, words: list[Word]) -> list[Word]:
        """Take the only pair apart if more words follow it, like `lr=4 5`, so that they count as one value."""
        pairs = [index for index, word in enumerate(words) if word.key is not None]
        if len(pairs) != 1 or pairs[0] == len(words) - 1 or not self._can_be_name(pairs[0]):
            return words
        pair = words[pairs[0]]
        name, value = Word(pair.key or "", quoted=True), Word(pair.value, quoted=True)
        return [*words[: pairs[0]], name, value, *words[pairs[0] + 1 :]]

    def _starts_with_experiment(self, count: int) -> bool:
        """Return whether the first of so many words before an `=` is the experiment, not a name."""
        # Two words can be an experiment and a name only if an `=` follows: /set 4f2a hydra._args_ model=small
        if count < _EXPERIMENT_AND_NAME or len(self._words) == _EXPERIMENT_AND_NAME:
            return False
        if any(map(_has_comma, self._words[:_EXPERIMENT_AND_NAME])):
            return False
        first, second = (word.text for word in self._words[:_EXPERIMENT_AND_NAME])
        if has_section(first):
            return has_section(second) and count % 2 == 1
        return has_section(second) or (count > _EXPERIMENT_AND_NAME and is_name(second))

    def _count_words_before_explicit_pair(self) -> int:
        offsets = (offset for offset in range(len(self._words)) if self._is_explicit_pair(offset))
        return next(offsets, len(self._words))

    def _is_explicit_pair(self, offset: int = 0) -> bool:
        """Return whether a name with `=` or `to` is here."""
        word, following = self._peek(offset), self._peek(offset + 1)
        if word is None or _is_dashed(word):
            return False
        if word.key is not None:
            return True
        if _begins_with_equals(following):
            return not self._starts_with_name or self._can_be_name(self._index + offset)
        if not _is_word_to(following) or self._peek(offset + 2) is None:
            return False
        # In the name of a run, as in "v1 to v2", it's a word like any other.
        return (self._starts_with_name or self._has_pair) and self._can_be_name(self._index + offset)

    def _can_be_name(self, index: int) -> bool:
        """Return whether a word is a name: any with a section, in `/set` also the first and one after a comma."""
        if has_section(self._words[index].text):
            return True
        if not self._starts_with_name or index == 0:
            return self._starts_with_name
        previous = self._words[index - 1]
        return _has_comma(previous) or (index == 1 and not has_section(previous.text))

    def _is_spaced_pair(self) -> bool:
        """Return whether a name with a section, or any name after a comma, and a plain value are here."""
        word, value = self._peek(), self._peek(1)
        if word is None or value is None or _has_comma(word) or not _is_value(value):
            return False
        return has_section(word.text) or (self._is_after_comma and is_name(word.text))

    def _read_pair(self) -> list[Word]:
        """Return the pair that is here as a word, or several if they are separated by commas without spaces."""
        word = self._take()
        if word.key is not None:
            return self._read_keyed_pairs(word, word.key)
        following = self._peek()
        if _begins_with_equals(following):
            equals = self._take()
            if equals.text != "=":
                return [self._read_value(word.text, replace(equals, text=equals.text[1:]))]
        elif _is_word_to(following) and self._peek(1):
            self._take()
        return [self._read_value(word.text, self._take() if self._peek() else Word(""))]

    def _read_keyed_pairs(self, word: Word, key: str) -> list[Word]:
        if not word.value and not word.quoted:
            is_empty = self._peek() is None or self._is_explicit_pair() or self._is_spaced_pair()
            return [build_assignment(key, "") if is_empty else self._read_value(key, self._take())]
        first, *others = [word.value] if word.quoted else _NEXT_PAIR.split(word.value)
        if not others or "=" in first:
            return [self._read_value(key, replace(word, text=word.value, key=None))]
        *pairs, (last_key, last_value) = [(key, first), *(_split_pair(text) for text in others)]
        return [*(build_assignment(*pair) for pair in pairs), self._read_value(last_key, Word(last_value))]

    def _read_value(self, name: str, value: Word) -> Word:
        """Return a name and a value, which continues after a comma unless another pair follows."""
        parts = [value.text]
        self._is_after_comma = _has_comma(value)
        while (following := self._peek()) and (self._is_after_comma or _begins_with_comma(following)):
            if self._is_explicit_pair() or self._is_spaced_pair():
                parts[-1] = parts[-1].removesuffix(",") if parts != [","] else ","
                break
            if not _is_value(following):
                break
            separator = "" if _is_comma(following) else " "
            parts.append(separator + following.text)
            self._is_after_comma = _has_comma(self._take())
        return build_assignment(name, "".join(parts))

    def _peek(self, offset: int = 0) -> Word | None:
        index = self._index + offset
        return self._words[index] if index < len(self._words) else None

    def _take(self) -> Word:
        self._is_after_comma = False
        self._index += 1
        return self._words[self._index - 1]


def _split_pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _begins_with_equals(word: Word | None) -> bool:
    return word is not None and word.key is None and not word.quoted and word.text.startswith("=")


def _is_word_to(word: Word | None) -> bool:
    return word is not None and not word.quoted and word.text.casefold() == "to"


def _is_and(word: Word) -> bool:
    return not word.quoted and word.text.casefold() in {"and", "&"}


def _is_comma(word: Word) -> bool:
    return not word.quoted and word.text == ","


def _has_comma(word: Word) -> bool:
    return word.has_bare_comma or (not word.quoted and word.text.endswith(","))


def _begins_with_comma(word: Word) -> bool:
    return not word.quoted and word.key is None and word.text.startswith(",")


def _is_value(word: Word) -> bool:
    return word.key is None or _is_dashed(word)


def _is_dashed(word: Word) -> bool:
    return (word.key or ("" if word.quoted else word.text)).startswith("--")
