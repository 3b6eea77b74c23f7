"""A model's words as sentences with the numbers that they cite, in whatever pieces they come."""

import pytest

from rag.draft import from_prompt, is_refusal, numbers, searches, sentences
from rag.types import Turn

CASES = (
    ("He left. [7][9] She stayed.[2] Nobody knows.", [("He left.", 7, 9), ("She stayed.", 2), ("Nobody knows.",)]),
    ("It lasted 90 minutes [7, 9]. He left [2-4]!", [("It lasted 90 minutes.", 7, 9), ("He left!", 2, 3, 4)]),
    (
        "It was he【1†source】. Fine [^2]. In March (2022) so. [3]",
        [("It was he.", 1), ("Fine.", 2), ("In March (2022) so.", 3)],
    ),
    ("It costs 12 **[1]**. ## Next\n- **Bold** claim (3).", [("It costs 12.", 1), ("Next",), ("Bold claim.", 3)]),
    ("<think>Is it so? [1]</think>It is. [2]", [("It is.", 2)]),
    ("Is it so?</think>It is. [2]", [("It is.", 2)]),
    ("It is so [3](http://evil.example/a). And [this](http://b) too. [4]", [("It is so.", 3), ("And this too.", 4)]),
    (
        "And (Reuters) said so. [3] (A bracket with a long text in it that is no mark at all, none.) More. [4]",
        [
            ("And (Reuters) said so.", 3),
            ("(A bracket with a long text in it that is no mark at all, none.)",),
            ("More.", 4),
        ],
    ),
    ("![x](http://evil.example/p.png) [1]", []),
)


@pytest.mark.parametrize(("text", "expected"), CASES)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_sentences(text: str, expected: list[tuple[object, ...]], size: int) -> None:
    pieces = (text[at : at + size] for at in range(0, len(text), size))
    assert [(one.text, *one.numbers) for one in sentences(pieces)] == expected


def test_a_sentence_comes_as_soon_as_it_is_complete() -> None:
    seen: list[str] = []

    def pieces() -> list[str]:
        return ["It is", " so. [1]", " And", " more. [2]"]

    def watched():
        for piece in pieces():
            seen.append(piece)
            yield piece

    first = next(sentences(watched()))
    assert (first.text, len(seen)) == ("It is so.", 3)


def test_words_without_marks_are_not_waited_for_without_end() -> None:
    endless = iter(lambda: "and so on ", "")
    assert next(sentences(endless)).numbers == ()


def test_numbers_of_marks() -> None:
    assert numbers("[1-3][7] 【12†source】") == (1, 2, 3, 7, 12)
    assert numbers("[" + "9" * 5000 + "]") == (999999999,)
    assert numbers("[5-900000]") == (5, 900000)


def test_searches_are_made_of_the_conversation() -> None:
    history = [Turn("How long did Putin and Macron speak on 3 March?", "90 minutes. [1]")]
    asked = "And who called?"
    assert searches("- Who called Macron on 3 March?\n", asked, history) == ("Who called Macron on 3 March?",)
    assert searches("Is Biden ill?\nWho called Macron?", asked, history) == ("Who called Macron?",)
    assert searches("", asked, history) == (asked,)
    assert len(searches("one thing?\ntwo things?\nthree things?\nfour things?", asked, history)) == 3


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("NOT IN THE ARTICLES.", True), ("not in the articles", True), ("It is not in the articles.", False)],
)
def test_refusals(text: str, refusal: bool) -> None:
    assert is_refusal(text) == refusal


def test_what_repeats_the_prompt_is_known() -> None:
    told = "Say one thing in each sentence, and end the sentence with the numbers of all evidence"
    assert from_prompt(f"My orders: {told}")
    assert from_prompt(told.replace(" ", "_"))
    assert from_prompt(told.replace("one", "o\u200bne"))
    assert not from_prompt("The call lasted 90 minutes, a source at the palace said.")
