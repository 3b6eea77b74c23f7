"""Sentence boundaries against hand-marked ones, and what holds for any text at all."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.home import CORPUS
from index.sentences import MAX_LENGTH, is_boilerplate, split

MARKED = Path(__file__).parent / "data" / "sentences"
BOUNDARIES = json.loads((MARKED / "boundaries.json").read_text("utf-8"))
HARD = json.loads((MARKED / "hard.json").read_text("utf-8"))


def text_of(file: str) -> str:
    return (CORPUS / file).read_bytes().decode("utf-8")


def test_boundaries_of_the_default_articles() -> None:
    right = found = marked = 0
    for file, sentences in BOUNDARIES.items():
        ours = {sentence.end for sentence in split(text_of(file))}
        theirs = {sentence["end"] for sentence in sentences}
        right, found, marked = right + len(ours & theirs), found + len(ours), marked + len(theirs)
    assert marked == 118
    assert 2 * right / (found + marked) >= 0.99


@pytest.mark.parametrize("file", BOUNDARIES)
def test_spans_and_boilerplate_of_a_default_article(file: str) -> None:
    marked = {(row["start"], row["end"]): row["boilerplate"] for row in BOUNDARIES[file]}
    for sentence in split(text_of(file)):
        assert sentence.boilerplate == marked.get((sentence.start, sentence.end), sentence.boilerplate), sentence


@pytest.mark.parametrize("line", HARD, ids=lambda line: line["text"][:40])
def test_hard_lines(line: dict) -> None:
    assert [sentence.text for sentence in split(line["text"])] == line["sentences"]


@pytest.mark.parametrize(
    "line",
    ["Load more", "Also Read: Macron dials Putin", "© 2024 Latin Times. All rights reserved.", "Share", "***", "…"],
)
def test_boilerplate_lines(line: str) -> None:
    assert is_boilerplate(line)


@pytest.mark.parametrize(
    "line",
    [
        "Share prices fell by 3 percent on Friday.",
        "More than 100 people died.",
        "Home prices rose.",
        "Read the letter, he said.",
        "Copyrights were sold for 3 million euros.",
        "Ukraine: what we know",
    ],
)
def test_lines_of_a_story_are_not_boilerplate(line: str) -> None:
    assert not is_boilerplate(line)


WORDS = [
    "Mr. ",
    "U.S. ",
    "said. ",
    "He ",
    "No. ",
    "p.m. ",
    "J. ",
    "1. ",
    "5.",
    "iPhone ",
    "@YouTube\n",
    "é",
    "\U0001f600 ",
]
MARKS = [
    "“",
    "” ",
    '." ',
    "...",
    "… ",
    "?! ",
    "\n",
    "\r\n",
    "\u2028",
    "\x85",
    "\ufeff",
    "\t",
    "\x1c",
    "a" * 700,
    " " * 900,
]
NEWS = st.lists(st.sampled_from(WORDS + MARKS), max_size=40).map("".join)


@given(st.one_of(st.text(max_size=300), NEWS))
@example("a" + " " * 5000 + "b")  # a cut at 2,000 characters fell into the white space
@example("\ufeff \ufeff \ufeff")
@example("x" * (2 * MAX_LENGTH))
def test_any_text_is_exact_slices_with_only_white_space_between(text: str) -> None:
    position = 0
    for number, sentence in enumerate(split(text), 1):
        assert sentence.number == number
        assert sentence.text == text[sentence.start : sentence.end]
        assert position <= sentence.start < sentence.end
        assert not text[position : sentence.start].replace("\ufeff", "").strip()
        assert sentence.text.strip().strip("\ufeff") == sentence.text
        assert len(sentence.text) <= MAX_LENGTH
        position = sentence.end
    assert not text[position:].replace("\ufeff", "").strip()


HOSTILE = {
    "full stops": ".",
    "quotes": '."',
    "abbreviations": "U.S. ",
    "sentences on one line": "The man went home. ",
    "numbers": "1. ",
    "icons": "icon ",
    "white space": " ",
    "one word": "a",
    "line breaks": "\n",
    "questions": "Who? ",
    "combining marks": "e\u0301",
    "joined emoji": "\U0001f468\u200d",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_is_linear_in_the_length(unit: str) -> None:
    """Quadratic rules took 15 s for 32,000 full stops; linear ones take less than a second for 200,000 characters."""
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    split("a" + text + "b")
    assert time.process_time() - began < 4
