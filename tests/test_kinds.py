"""What a question asks for in words that can be checked."""

import pytest

from rag.kinds import expected, names, share_named


@pytest.mark.parametrize(
    ("question", "text", "fit"),
    [
        ("How long did the call last?", "They spoke for forty minutes.", 1.0),
        ("How long did the call last?", "The 90-minute chat brought nothing.", 1.0),
        ("How long did the call last?", "It went on for an hour and a half.", 1.0),
        ("How long did the call last?", "They spoke on Monday and Thursday of last week.", -1.0),
        ("How many civilians died?", "Over 350 civilians have died.", 1.0),
        ("How many civilians died?", "Civilians have died.", -1.0),
        ("When did they meet?", "They met on 3 March.", 1.0),
        ("When did they meet?", "They met in a hall.", 0.0),
        ("Who initiated the call?", "It was initiated by Putin.", 1.0),
        ("Who initiated the call?", "They talked for long.", 0.0),
    ],
)
def test_a_kind_of_answer_is_there_or_not(question: str, text: str, fit: float) -> None:
    kind = expected(question)
    assert kind is not None
    assert kind.fit(text) == fit


def test_most_questions_ask_for_no_kind_that_can_be_checked() -> None:
    assert expected("Why did the talks fail?") is None


@pytest.mark.parametrize(
    ("question", "stems"),
    [
        ("What did Olaf Scholz tell Putin on 3 March 2022?", ("olaf", "schol", "putin")),
        ("Who broke the Biden-Putin deal of 1997?", ("biden", "putin", "1997")),
        ("Ukraine's allies: what did they say?", ()),
        ("why did talks fail", ()),
    ],
)
def test_names(question: str, stems: tuple[str, ...]) -> None:
    assert names(question) == stems


def test_share_of_names_in_a_text() -> None:
    assert share_named(("germa", "putin"), "A German official met him.") == 0.5
    assert share_named((), "Anything.") == 1.0
