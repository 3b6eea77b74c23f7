"""Follow-up questions: which of them need the question before, and what is then searched."""

import pytest

from rag.conversation import Resolved, refers_back, resolve
from rag.types import NOT_IN_ARTICLES, Turn

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
    assert resolve(question, [CALL]).search.startswith(f"{question} How long did Putin and Macron talk")


@pytest.mark.parametrize(
    "question",
    [
        "How many civilians had died in Ukraine according to officials?",
        "Which weapons did Germany want to send to Ukraine?",
        "What did Dominique Moisi tell the Associated Press about Macron's long attempts to reset relations with it?",
    ],
)
def test_whole_questions_stand_alone(question: str) -> None:
    assert resolve(question, [CALL]) == Resolved(question, question)


def test_a_follow_up_is_read_with_the_answer_before_it() -> None:
    assert resolve("Who initiated it?", [CALL]).read == "Who initiated it? (The call lasted 90 minutes.)"


def test_marks_and_further_lines_of_the_answer_before_are_not_read() -> None:
    turn = Turn(CALL.question, "It lasted 90 minutes. [1][2]\nAnother sentence. [3]")
    assert resolve("Who initiated it?", [turn]).read == "Who initiated it? (It lasted 90 minutes.)"


def test_a_refusal_says_nothing_about_what_it_stands_for() -> None:
    turn = Turn(CALL.question, NOT_IN_ARTICLES)
    assert resolve("Who initiated it?", [turn]).read == f"Who initiated it? {CALL.question}"


def test_a_fragment_asks_the_old_question_of_something_else() -> None:
    resolved = resolve("And Zelensky?", [CALL])
    assert resolved == Resolved(f"And Zelensky? {CALL.question}", f"And Zelensky? {CALL.question}")


def test_a_fragment_with_a_date_replaces_the_old_date() -> None:
    turn = Turn("What did Putin tell Macron about Minsk on 28 January 2022?", "…")
    assert resolve("And on 3 March?", [turn]).read == "And on 3 March? What did Putin tell Macron about Minsk ?"


def test_a_long_chain_of_follow_ups_keeps_its_topic_and_the_newest_question_first() -> None:
    history = [CALL, *(Turn("And why?", "Because.") for _ in range(3000))]
    assert resolve("Who initiated it?", history).search == f"Who initiated it? {CALL.question}"


def test_without_history_the_question_is_searched_as_it_is() -> None:
    assert resolve("Who initiated it?", []) == Resolved("Who initiated it?", "Who initiated it?")
