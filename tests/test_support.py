"""The probability that a text says what a claim says, with the shipped models."""

import pytest

from rag.support import SIGNALS, WEIGHTS, probability, signals

HEADING = "Eastwick to dredge its harbour · 3 June 2021"
TEXT = "The harbour of Eastwick will be dredged for 12 million pounds, the council decided on Thursday."


def test_what_a_text_says_is_more_probable_than_what_it_denies_or_leaves_open() -> None:
    said = probability("The council decided that the harbour is to be dredged.", HEADING, TEXT)
    denied = probability("The council decided that the harbour will not be dredged.", HEADING, TEXT)
    other = probability("The tennis club elected a new chairman.", HEADING, TEXT)
    assert said > 0.5 > other
    assert said > denied > other


@pytest.mark.parametrize("claim", ["", "?", "x" * 5000, "\u200b", "دعا الرئيس"])
@pytest.mark.parametrize("text", ["", TEXT, "word " * 3000])
def test_any_two_texts_have_a_probability(claim: str, text: str) -> None:
    assert 0 <= probability(claim, "", text) <= 1
    assert len(signals(claim, "", text)) == len(SIGNALS) == len(WEIGHTS)
