"""Splitting of a line into words, and the typography of phones."""

import time
from contextlib import suppress

import pytest

from clearml_chatops.handlers.command_line import MAX_LINE_LENGTH, Word, join_words, split_words, undo_typography
from clearml_chatops.models.errors import LineTooLongError, UnbalancedQuoteError


def _split_texts(line: str) -> list[str]:
    return [word.text for word in split_words(line)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("  \t \n ", []),
        ("/find baseline", ["/find", "baseline"]),
        ("/find   two\twords\n", ["/find", "two", "words"]),
        ('/name "on two GPUs"', ["/name", "on two GPUs"]),
        ("/name 'on two GPUs'", ["/name", "on two GPUs"]),
        ('/name ""', ["/name", ""]),
        ("/name a'b c'd", ["/name", "ab cd"]),
        (r"/name two\ words", ["/name", "two words"]),
        (r'/name "say \"hi\" and \\ and \n"', ["/name", r'say "hi" and \ and \n']),
        (r"/name 'no \escape here'", ["/name", r"no \escape here"]),
        (r"""/name 'a "b" c' "d 'e' f" """, ["/name", 'a "b" c', "d 'e' f"]),
        ("/name ends\\", ["/name", "ends\\"]),
        (r"/set path C:\models\x", ["/set", "path", r"C:\models\x"]),
        (r"/set args.pattern=\d+\.png", ["/set", r"args.pattern=\d+.png"]),
        (r"/set args.sep=\t", ["/set", r"args.sep=\t"]),
        (r"/set path \\host\share\ x", ["/set", "path", r"\host\share x"]),
    ],
)
def test_words_are_split_and_quoted_as_in_a_shell(line: str, words: list[str]) -> None:
    assert _split_texts(line) == words


@pytest.mark.parametrize(
    "quoted",
    [
        '"on two GPUs"',
        "“on two GPUs”",  # English
        "„on two GPUs“",  # German
        "„on two GPUs”",  # Polish
        "”on two GPUs”",  # Swedish
        "«on two GPUs»",  # Russian
        "»on two GPUs«",  # Danish
        "‘on two GPUs’",  # English, single
        "‚on two GPUs‘",  # German, single
        "’on two GPUs’",  # Swedish, single
        "‟on two GPUs”",
    ],
)
def test_quotes_of_every_language_are_recognized(quoted: str) -> None:
    assert split_words(f"/name {quoted}") == [Word("/name"), Word("on two GPUs", quoted=True)]
    assert _split_texts(f"/container args={quoted}") == ["/container", "args=on two GPUs"]


@pytest.mark.parametrize("word", ["don’t", "l’été", "rock’n’roll"])
def test_apostrophe_inside_word_is_kept(word: str) -> None:
    assert split_words(f"/name {word} stop") == [Word("/name"), Word(word), Word("stop")]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("—new", "--new"),
        ("–new", "--new"),
        ("/set a —new", "/set a --new"),
        ("args=—user", "args=--user"),
        ("“—user 1000:1000”", '"--user 1000:1000"'),
        ("‘–gpus all’", "'--gpus all'"),
        ("–v /data:/data", "-v /data:/data"),
        ("“–v /data”", '"-v /data"'),
        ("args.shift –1", "args.shift -1"),
        ("args.shift –12", "args.shift -12"),
        ("args.shift=–0.5", "args.shift=-0.5"),
        ("before — after", "before — after"),
        ("before – after", "before – after"),
        ("a—b", "a—b"),
        ("epochs 1–3", "epochs 1–3"),
        ("the end —", "the end —"),
    ],
)
def test_long_dashes_become_option_dashes_but_not_in_prose(typed: str, expected: str) -> None:
    assert undo_typography(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("args.lr −0.1", "args.lr -0.1"),
        ("args.lr=−.5", "args.lr=-.5"),
        ("[−1, –2]", "[-1, -2]"),
        ("−1,−2", "-1,-2"),
        ("1e−4", "1e-4"),
        ("5 − 3", "5 − 3"),
        ("x−y", "x−y"),
        (r"\−1", r"\−1"),
    ],
)
def test_minus_sign_is_understood_in_front_of_numbers(typed: str, expected: str) -> None:
    assert undo_typography(typed) == expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[4, 5] 6", ["[4, 5]", "6"]),
        ("x=[4, 5] y", ["x=[4, 5]", "y"]),
        ("{'a': \"b c\"}", ["{'a': \"b c\"}"]),
        ("{‘a’: 2}", ["{'a': 2}"]),
        ("(1, [2, 3])", ["(1, [2, 3])"]),
        ("[1, 2],[3, 4]", ["[1, 2],[3, 4]"]),
        ("['a]', 'b']", ["['a]', 'b']"]),
        ("[1, 2 3", ["[1,", "2", "3"]),
        ("[1, 2) 3", ["[1,", "2)", "3"]),
        ("[a b]+ c", ["[a", "b]+", "c"]),
        ("x[1, 2]", ["x[1,", "2]"]),
        ("'[1, 2]' \"[3\"", ["[1, 2]", "[3"]),
    ],
)
def test_lists_and_dictionaries_need_no_quotes(line: str, words: list[str]) -> None:
    assert _split_texts(line) == words


@pytest.mark.parametrize("piece", ["[ ", "{'a ", '(" ', "[' [\" ", "[x ", "([{ ", "['] "])
def test_unclosed_brackets_take_no_long_time(piece: str) -> None:
    started = time.process_time()
    with suppress(UnbalancedQuoteError):
        split_words(piece * (MAX_LINE_LENGTH // len(piece)))
    assert time.process_time() - started < 2


def test_invisible_characters_are_ignored() -> None:
    assert _split_texts("/find\xa0base\u200bline\u200e \ufefflast") == ["/find", "baseline", "last"]
    assert _split_texts("/name «\xa0on\u202ftwo\xa0GPUs »") == ["/name", " on\u202ftwo GPUs "]


@pytest.mark.parametrize(
    ("line", "quote", "rest"),
    [
        ('/name "never closed', '"', "never closed"),
        ("/name 'never closed", "'", "never closed"),
        ("/name “never closed", '"', "never closed"),
        ('/name "fine" and "not', '"', "not"),
        (r'/name "escaped \"', '"', r"escaped \""),
        ("/name don't", "'", "t"),
    ],
)
def test_unbalanced_quote_is_reported_with_context(line: str, quote: str, rest: str) -> None:
    with pytest.raises(UnbalancedQuoteError) as caught:
        split_words(line)
    assert caught.value.values == {"quote": quote, "rest": rest}
    assert f"The quote {quote}" in str(caught.value)


def test_too_long_line_is_refused_with_length_and_limit() -> None:
    with pytest.raises(LineTooLongError) as caught:
        split_words("/name " + "x" * 99_994)
    assert "100,000" in str(caught.value)
    assert f"{MAX_LINE_LENGTH:,}" in str(caught.value)


def test_line_of_maximum_length_is_accepted() -> None:
    assert _split_texts("x" * MAX_LINE_LENGTH) == ["x" * MAX_LINE_LENGTH]
    with pytest.raises(LineTooLongError):
        split_words("x" * (MAX_LINE_LENGTH + 1))


@pytest.mark.parametrize(
    ("typed", "key", "value"),
    [
        ("a=b", "a", "b"),
        ("args.lr=0.05", "args.lr", "0.05"),
        ("Args/lr=0.05", "Args/lr", "0.05"),
        ("args=-v=1", "args", "-v=1"),
        ("image=", "image", ""),
        ('image="two words"', "image", "two words"),
        ("--image=x", "--image", "x"),
        ('--args="-v /data"', "--args", "-v /data"),
        ('"a=b"', None, "a=b"),
        ("'a'=b", None, "a=b"),
        (r"a\=b", None, "a=b"),
        ("=b", None, "=b"),
        ("1=2", None, "1=2"),
        ("https://web/?task=1", None, "https://web/?task=1"),
        ("plain", None, "plain"),
        ("'My Section/a b'=1", "My Section/a b", "1"),
        ('"args.lr"=1', "args.lr", "1"),
        ("'https://web/?task'=1", None, "https://web/?task=1"),
        ("'--odd/x'=1", None, "--odd/x=1"),
    ],
)
def test_key_is_unquoted_text_before_first_equals_sign(typed: str, key: str | None, value: str) -> None:
    (word,) = split_words(typed)
    assert (word.key, word.value) == (key, value)


@pytest.mark.parametrize(
    ("typed", "changed"),
    [("baseline", "4f2a"), ("id=baseline", "id=4f2a"), ("id='two words'", "id=4f2a")],
)
def test_with_value_replaces_value_and_keeps_key(typed: str, changed: str) -> None:
    (word,) = split_words(typed)
    assert word.with_value("4f2a").text == changed
    assert word.with_value("4f2a").key == word.key


_PIECES = (
    "plain",
    "",
    " ",
    "two words",
    "a=b",
    "=",
    "--new",
    "-v",
    "front",
    "—new",
    "–v",
    "a—b",
    " — ",
    "don’t",
    "'",
    '"',
    "\\",
    'it\'s "all" \\ here',
    "$HOME `id` ; rm *",
    "é中\n\t",
    "“so” «so» ‘so’",
    "a\xa0b\u200b",
    "\\“",
)


@pytest.mark.parametrize("text", _PIECES)
@pytest.mark.parametrize("key", [None, "args.note", "--args"])
@pytest.mark.parametrize("after", _PIECES[:4])
def test_join_words_and_split_words_round_trip(text: str, key: str | None, after: str) -> None:
    words = [
        Word("/set"),
        Word(text if key is None else f"{key}={text}", key, quoted=True),
        Word(after, quoted=True),
    ]
    assert split_words(join_words(words)) == words


@pytest.mark.parametrize(
    "line",
    [
        "/find baseline status=failed mine",
        '/name "--new" id=4f2a',
        '/name "a=b"',
        '/enqueue "front"',
        "/container args=“-v /data:/data —user 1000:1000” image=nvcr.io/x:1",
        r"/name \—draft",
        "/name ''—draft",
        "/name before — after",
        "/name don’t",
        "/set general.cfg {'a': 2} x=[1, 'b c'],",
        "/set args.note='a b', args.lr=−1",
        "/set 'My Section/it’s “it”'=1",
        "/find https://web/?task=1&x='2'",
        "/queue_create *",
        "image=",
        "/name ends\\ ",
    ],
)
def test_split_line_can_be_joined_again(line: str) -> None:
    words = split_words(line)
    assert split_words(join_words(words)) == words
