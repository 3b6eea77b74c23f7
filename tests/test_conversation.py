"""Follow-up questions: which of them need the question before, and what is then searched."""

import pytest

from rag.conversation import refers_back, standalone
from rag.types import Turn

CALL = Turn("How long did Putin and Macron talk on 3 March 2022?", "The call lasted 90 minutes.")


@pytest.mark.parametrize(
    "question",
    [
        "Who initiated it?",
        "And in January?",
        "What about Zelensky?",
        "Why?",
        "What did he say then?",
        "How long was the call?",
    ],
)
def test_follow_ups_lean_on_the_question_before(question: str) -> None:
    assert refers_back(question)
    assert standalone(question, [CALL]) == f"{CALL.question} {question}"


@pytest.mark.parametrize(
    "question",
    [
        "How many civilians had died in Ukraine according to officials?",
        "Which weapons did Germany want to send to Ukraine?",
        "What did Dominique Moisi tell the Associated Press about Macron's long attempts to reset relations with it?",
    ],
)
def test_whole_questions_stand_alone(question: str) -> None:
    assert standalone(question, [CALL]) == question


def test_a_chain_of_follow_ups_keeps_its_first_question() -> None:
    history = [CALL, Turn("Who initiated it?", "Putin.")]
    assert standalone("Why?", history) == f"{CALL.question} Who initiated it? Why?"


def test_without_history_the_question_is_searched_as_it_is() -> None:
    assert standalone("Who initiated it?", []) == "Who initiated it?"
