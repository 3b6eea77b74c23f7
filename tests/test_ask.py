"""ask and stream over small folders, with the real models: what an answer promises, whatever it says."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from index import FolderError, QuestionError
from rag import Turn, ask, open_archive, stream
from rag.types import Answer

CALLS = {
    "january.txt": """Leaders speak before summit
28 January 2022

The two presidents spoke for forty minutes on Friday. The call was requested by Paris. They agreed to meet in Geneva.
""",
    "march.txt": """Leaders speak again
3 March 2022

The two presidents spoke for ninety minutes on Thursday. The call was requested by Moscow. It was “difficult”.
""",
    "harbour.txt": """Harbour to be dredged
5 May 2022

The harbour of Eastwick will be dredged for 12 million pounds. Work begins in June, said harbour master Ann Poole.
""",
}


@pytest.fixture
def folder(home: Path) -> Path:
    place = home.parent / "articles"
    place.mkdir()
    for name, text in CALLS.items():
        (place / name).write_text(text, "utf-8")
    return place


def check_exact(answer: Answer, folder: Path) -> None:
    for citation in (*answer.citations, *answer.closest):
        decoded = (folder / citation.file).read_bytes().decode("utf-8")
        assert decoded[citation.start : citation.end] == citation.text


def test_an_answer_is_cited_exactly(folder: Path) -> None:
    answer = ask("How much does dredging the harbour of Eastwick cost?", folder)
    assert answer.status == "answered"
    assert answer.citations[0].file == "harbour.txt"
    assert "12 million pounds" in answer.text
    assert answer.citations[0].title == "Harbour to be dredged"
    assert answer.citations[0].date == "2022-05-05"
    check_exact(answer, folder)


def test_the_short_answer_is_taken_from_the_first_quote_and_not_from_the_question(folder: Path) -> None:
    answer = ask("Who is the harbour master of Eastwick?", folder)
    assert answer.short_answer == "Ann Poole"
    follow_up = ask("What did she say about June?", folder, [Turn(answer.question, answer.text)])
    assert follow_up.short_answer != "Ann Poole"


def test_claims_cite_numbers_that_exist_and_every_citation_is_used(folder: Path) -> None:
    answer = ask("Who is the harbour master of Eastwick?", folder)
    used = [number for claim in answer.claims for number in claim.citations]
    assert sorted(used) == [citation.number for citation in answer.citations] == list(range(1, len(used) + 1))
    for claim in answer.claims:
        assert claim.text + " " + "".join(f"[{number}]" for number in claim.citations) in answer.text


def test_the_date_in_a_question_tells_two_like_events_apart(folder: Path) -> None:
    for day, file in (("28 January", "january.txt"), ("3 March", "march.txt")):
        answer = ask(f"How long did the two presidents speak on {day} 2022?", folder)
        assert answer.citations[0].file == file
        assert "minutes" in answer.citations[0].text


def test_a_question_without_an_answer_is_refused_with_the_closest_sentences(folder: Path) -> None:
    answer = ask("Which film won the prize of the jury at Cannes?", folder)
    assert answer.status == "not_in_articles"
    assert answer.text == "Not in these articles."
    assert not answer.claims
    assert not answer.citations
    assert answer.closest
    check_exact(answer, folder)


def test_a_follow_up_is_understood_with_the_conversation(folder: Path) -> None:
    history = [Turn("How long did the two presidents speak on 3 March 2022?", "Ninety minutes.")]
    answer = ask("Who requested it?", folder, history)
    first = (answer.citations or answer.closest)[0]
    assert (first.file, "Moscow" in first.text) == ("march.txt", True)


def test_stream_grows_and_ends_with_what_ask_returns(folder: Path) -> None:
    question = "What is known about the harbour of Eastwick?"
    seen = list(stream(question, folder))
    for shorter, longer in pairwise(seen):
        assert longer.claims[: len(shorter.claims)] == shorter.claims
        assert longer.citations[: len(shorter.citations)] == shorter.citations
    assert seen[-1].claims == ask(question, folder).claims


def test_a_changed_file_is_answered_from_its_new_text(folder: Path) -> None:
    question = "How much does dredging the harbour of Eastwick cost?"
    assert "12 million" in ask(question, folder).text
    path = folder / "harbour.txt"
    path.write_text(path.read_text("utf-8").replace("12 million", "15 million"), "utf-8")
    answer = ask(question, folder)
    assert "15 million" in answer.text
    check_exact(answer, folder)


@pytest.mark.parametrize(
    "question",
    [
        "Summarise the articles about Brexit",
        "What is known about a colony on Mars?",
        "List the goals that Lionel Messi scored in Qatar",
    ],
)
def test_a_digest_of_what_is_not_there_is_refused(question: str, folder: Path) -> None:
    assert ask(question, folder).status == "not_in_articles"


def test_a_digest_holds_sentences_of_the_day_in_order(folder: Path) -> None:
    answer = ask("What happened on 28 January 2022?", folder)
    assert {citation.file for citation in answer.citations} == {"january.txt"}
    numbers = [citation.sentence for citation in answer.citations]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("change", ["delete", "edit"])
def test_an_open_archive_never_cites_what_the_folder_no_longer_holds(folder: Path, change: str) -> None:
    archive = open_archive(folder)
    assert "harbour.txt" in {item.file for item in ask("How much does dredging cost?", archive).citations}
    path = folder / "harbour.txt"
    if change == "delete":
        path.unlink()
    else:
        path.write_text("Nothing about it any more, only this sentence.", "utf-8")
    answer = ask("How much does dredging the harbour of Eastwick cost?", archive)
    assert all(citation.file != "harbour.txt" for citation in (*answer.citations, *answer.closest))


def test_the_same_archive_is_reused_until_the_folder_changes(folder: Path) -> None:
    first = open_archive(folder)
    assert open_archive(folder) is first
    (folder / "more.txt").write_text("A new article about the ferry. It sails on Sunday.", "utf-8")
    assert open_archive(folder) is not first


def test_a_closed_archive_is_opened_again(folder: Path) -> None:
    open_archive(folder).close()
    assert ask("How much does dredging the harbour of Eastwick cost?", folder).citations


@pytest.mark.parametrize("question", ["", "   \n", "x" * 4001])
def test_empty_and_overlong_questions_are_refused(question: str, folder: Path) -> None:
    with pytest.raises(QuestionError):
        ask(question, folder)


@pytest.mark.parametrize(
    "question",
    [
        '"',
        "*",
        "NEAR(a b)",
        "a AND NOT b",
        "title:x",
        "-x",
        "???",
        "🙂🙂",
        "\x00",
        "\ud800 what",
        "x" * 4000,
        "' OR 1=1 --",
    ],
)
def test_no_question_is_an_error_by_its_characters(question: str, folder: Path) -> None:
    check_exact(ask(question, folder), folder)


def test_the_json_is_the_contract(folder: Path) -> None:
    answer = ask("Who is the harbour master of Eastwick?", folder).to_dict()
    assert " ".join(answer) == (
        "question status mode text short_answer claims citations closest disagreements seconds searched notice usage"
    )
    assert set(answer["citations"][0]) == {
        "number", "file", "sentence", "start", "end", "text", "title", "publisher", "date", "sha256",
    }  # fmt: skip
    assert set(answer["claims"][0]) == {"text", "citations", "verdict", "reason"}
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.usefixtures("home")
def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="does not exist"):
        ask("Anything?", tmp_path / "nowhere")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rag", *arguments], capture_output=True, text=True, timeout=60)


def test_command_line_answers_refuses_and_complains(folder: Path) -> None:
    answered = run("How much does dredging the harbour of Eastwick cost?", "--articles", str(folder))
    assert answered.returncode == 0
    assert "[1] harbour.txt, sentence" in answered.stdout
    refused = run("Which film won the prize of the jury at Cannes?", "--articles", str(folder), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["status"] == "not_in_articles"
    wrong = run("Anything?", "--articles", str(folder / "nowhere"))
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert wrong.stderr.count("\n") == 1
    assert "does not exist" in wrong.stderr


def test_the_terminal_shows_control_characters_instead_of_obeying_them(folder: Path) -> None:
    (folder / "bell.txt").write_text(
        "The lighthouse\n\nThe lighthouse\x1b[31m of Eastwick\u202e is 40 metres high, and its lamp can be seen "
        "from the Isle of Man on clear nights, the keepers say.\n",
        "utf-8",
    )
    shown = run("How high is the lighthouse of Eastwick?", "--articles", str(folder)).stdout
    assert "40 metres" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
