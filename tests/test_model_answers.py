"""Answers that a language model writes, through `ask` and `stream`: whatever its server does, the person gets an
answer that is cited exactly, in time, and one line where it is not the model's or not all of it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import fake_model
import pytest
from fake_model import KEY, NAME, FakeModel, Reply, Request, says, says_what
from test_ask import CALLS
from test_llm import faults

from index.archive import Archive
from index.sync import open_archive
from rag import Answer, Model, Turn, ask, stream
from rag.draft import sentences
from rag.types import NOT_IN_ARTICLES

QUESTION = "How much does dredging the harbour of Eastwick cost?"
COST = "The harbour of Eastwick will be dredged for 12 million pounds."  # as it stands in the article
WORK = "The work begins in June and takes 8 months, said harbour master Ann Poole."
ARTICLES = {**CALLS, "harbour.txt": f"Harbour to be dredged\n5 May 2022\n\n{COST} {WORK}\n"}
FALSE = "The harbour of Eastwick will be dredged for 99 million pounds."
SECONDS = 2.0  # the total deadline where it is waited for
VERDICTS = {"supported", "partly", "unsupported", "uncited"}
AFTER_A_SENTENCE = (  # the faults of a server that has said a whole sentence before
    "stalled", "cut", "reset", "cut by length", "cut by a filter", "no JSON", "a list", "a number", "choices are text",
    "choices are null", "error in the stream", "error event in the stream", "not UTF-8",
)  # fmt: skip
STYLES = {  # of citations, and how many sentences they cite
    "[{cost}]": 1,
    "[{cost}][{work}]": 2,
    "[{cost}] [{work}]": 2,
    "[{cost}, {work}]": 2,
    "[{cost},{work}]": 2,
    "[{cost}; {work}]": 2,
    "({cost})": 1,
    "({cost}, {work})": 2,
    "【{cost}†source】": 1,
    "【{cost}†L3-L9】【{work}†source】": 2,
    "[^{cost}]": 1,
    "[ {cost} ]": 1,
    "[{cost}][{cost}]": 1,
    "[source {cost}]": 1,
    "**[{cost}]**": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("articles")
    for name, text in ARTICLES.items():
        (place / name).write_text(text, "utf-8")
    return place


@pytest.fixture(scope="module")
def archive(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    opened = open_archive(folder, tmp_path_factory.mktemp("home"))
    ask(QUESTION, opened, model="quotes")  # the models are loaded now: a test with a deadline does not wait for that
    yield opened
    opened.close()


def number(request: Request, sentence: str) -> int:
    """The number of the line of the prompt that holds a sentence."""
    found = re.search(rf"^\[(\d+)\] .*{re.escape(sentence)}$", request.said, re.MULTILINE)
    assert found, request.said
    return int(found[1])


def saying(text: str, pause: float = 0.0) -> Reply:
    """A model that writes `text`, {cost} and {work} being the numbers of the two sentences."""
    return says_what(lambda request: filled(text, request), pause=pause)


def filled(text: str, request: Request) -> str:
    numbers = {"{cost}": COST, "{work}": WORK}
    return re.sub("{cost}|{work}", lambda mark: str(number(request, numbers[mark[0]])), text)


def model_at(fake: FakeModel, seconds: float = 20.0) -> Model:
    return Model(NAME, KEY, fake.address, seconds)


def answered(archive: Archive, *script: Reply, seconds: float = 20.0) -> Answer:
    """The answer to QUESTION, with all that holds of every answer checked."""
    with FakeModel(*script) as fake:
        began = time.monotonic()
        answer = ask(QUESTION, archive, model=model_at(fake, seconds))
        assert time.monotonic() - began < seconds + 1.5
    check(answer)
    return answer


def check(answer: Answer) -> None:
    for citation in (*answer.citations, *answer.closest):
        assert ARTICLES[citation.file][citation.start : citation.end] == citation.text
    offered = {citation.number for citation in answer.citations}
    assert offered == set(range(1, len(offered) + 1))
    for claim in answer.claims:
        assert claim.verdict in VERDICTS
        assert set(claim.citations) <= offered
        if claim.verdict in ("supported", "partly"):
            assert claim.citations
            assert claim.text in answer.text
        else:
            assert claim.reason
            assert claim.text not in answer.text
    assert {int(mark) for mark in re.findall(r"\[(\d+)\]", answer.text)} <= offered
    assert answer.notice is None or answer.notice.isprintable()
    shown = json.dumps(answer.to_dict())
    for secret in (KEY, KEY[3:15], KEY[-8:], "Authorization", "Bearer"):
        assert secret not in shown


def check_quotes(answer: Answer, told: str) -> None:
    """The answer is what it is without a model, and says why."""
    assert (answer.status, answer.mode) == ("answered", "quotes")
    assert "12 million pounds" in answer.text
    assert answer.notice
    assert re.search(told, answer.notice)


def test_an_answer_in_checked_sentences(archive: Archive) -> None:
    answer = answered(archive, saying(f"{COST} [{{cost}}] {WORK} [{{work}}]"))
    assert (answer.status, answer.mode, answer.notice) == ("answered", "model", None)
    assert [claim.text for claim in answer.claims] == [COST, WORK]
    assert [claim.citations for claim in answer.claims] == [(1,), (2,)]
    assert {claim.verdict for claim in answer.claims} == {"supported"}
    assert [citation.file for citation in answer.citations] == ["harbour.txt"] * 2
    assert WORK in answer.citations[1].text
    assert answer.text == f"{COST} [1] {WORK} [2]"
    assert answer.usage is not None
    assert (answer.usage.model, answer.usage.dollars) == (NAME, None)
    assert answer.usage.input_tokens


@pytest.mark.parametrize("fault", faults(""))
def test_every_fault_ends_in_an_answer_and_says_why(fault: str, archive: Archive) -> None:
    numbers: list[int] = []
    with FakeModel(saying("")) as fake:  # what stands where in the prompt
        ask(QUESTION, archive, model=model_at(fake))
        numbers += (number(fake.requests[0], COST), number(fake.requests[0], WORK))
    reply, told = faults(f"{COST} [{numbers[0]}] {WORK} [{numbers[1]}]")[fault]
    answer = answered(archive, reply, seconds=SECONDS)
    if fault in AFTER_A_SENTENCE:
        assert (answer.status, answer.mode) == ("answered", "model")
        assert answer.claims[0].text == COST
        assert answer.notice
        assert re.search(told, answer.notice)
    else:
        check_quotes(answer, told)
    for words in ("Incorrect API key", "Rate limit reached", "out of memory", "hotel", "doctype", "Traceback"):
        assert words not in json.dumps(answer.to_dict())
    assert answered(archive, saying(f"{COST} [{{cost}}]")).mode == "model"  # the next question is not the worse for it


@pytest.mark.parametrize("address", [fake_model.refused_address(), fake_model.NOWHERE])
def test_no_server_at_the_address(address: str, archive: Archive) -> None:
    began = time.monotonic()
    answer = ask(QUESTION, archive, model=Model(NAME, KEY, address, 4.0))
    assert time.monotonic() - began < 5.5
    check(answer)
    check_quotes(answer, "cannot be reached.*OPENAI_BASE_URL|did not answer in")


@pytest.mark.parametrize("text", ["", " \n\n ", "[1]", "【1†source】", "...", "<think>I wonder. [1]"])
def test_an_answer_without_a_word_is_quotes(text: str, archive: Archive) -> None:
    check_quotes(answered(archive, says(text)), NAME)


@pytest.mark.parametrize(
    "wrong", ["[99]", "[0]", "[999999999999]", "[{cost}][99]", "[0, {cost}]", "[" + "9" * 5000 + "]"]
)
def test_a_number_that_was_not_offered_supports_nothing(wrong: str, archive: Archive) -> None:
    answer = answered(archive, saying(f"{WORK} {wrong} {COST} [{{cost}}]"))
    assert [claim.verdict for claim in answer.claims] == ["unsupported", "supported"]
    assert answer.text == f"{COST} [1]"
    check_quotes(answered(archive, saying(f"{COST} {wrong}")), "")


@pytest.mark.parametrize("mark", ["[-1]", "[one]", "[]", "[a][b]", "(see below)", "[1.5]", "[²]", "[١]"])
def test_what_is_no_citation_cites_nothing(mark: str, archive: Archive) -> None:
    answer = answered(archive, saying(f"{COST} [{{cost}}] {WORK} {mark}"))
    assert answer.claims[0].verdict == "supported"
    assert all(claim.verdict in ("uncited", "unsupported") for claim in answer.claims[1:])
    assert answer.text == f"{COST} [1]"


@pytest.mark.parametrize("marks", STYLES)
@pytest.mark.parametrize("place", ["after the full stop", "before the full stop", "before it without a space"])
def test_citations_of_other_styles_are_understood(marks: str, place: str, archive: Archive) -> None:
    before = COST[:-1] + ("" if "without" in place else " ") + marks + "."
    answer = answered(archive, saying((f"{COST} {marks}" if "after" in place else before) + f" {WORK} [{{work}}]"))
    assert [claim.text for claim in answer.claims] == [COST, WORK]
    assert len(answer.claims[0].citations) == STYLES[marks]
    assert answer.citations[0].text == COST


@pytest.mark.parametrize("marks", STYLES)
def test_what_is_read_does_not_depend_on_how_the_words_arrive(marks: str) -> None:
    given = marks.format(cost=4, work=15)
    for size in range(1, 100):
        for text in (
            f"{COST} {given} {WORK} [7]",
            f"{COST[:-1]} {given}. {WORK} [7]",
            f"{COST[:-1]}{given}. {WORK} [7].",
        ):
            found = list(sentences(text[start : start + size] for start in range(0, len(text), size)))
            assert [(one.text, len(one.numbers)) for one in found] == [(COST, STYLES[marks]), (WORK, 1)]


def test_a_range_of_numbers_is_all_of_them(archive: Archive) -> None:
    answer = answered(archive, saying(f"The articles tell of a harbour. [1-3] {COST} [{{cost}}]"))
    assert len(answer.claims[0].citations) == 3


def test_marks_in_the_middle_of_a_sentence_belong_to_it(archive: Archive) -> None:
    written = "The work begins in June [{work}] and takes 8 months, said harbour master Ann Poole. [{work}]"
    answer = answered(archive, saying(written))
    assert "[" not in "".join(claim.text for claim in answer.claims)
    assert answer.claims[-1].text.endswith("Ann Poole.")


@pytest.mark.parametrize(
    "text", [NOT_IN_ARTICLES, "NOT IN THE ARTICLES", "NOT IN THE ARTICLES.", "**Not in the articles**\n"]
)
def test_a_model_may_find_nothing(text: str, archive: Archive) -> None:
    answer = answered(archive, says(text))
    if text == NOT_IN_ARTICLES:  # not the words that were asked for: a sentence without a citation
        return check_quotes(answer, "")
    assert (answer.status, answer.mode, answer.text) == ("not_in_articles", "model", NOT_IN_ARTICLES)
    assert not answer.claims
    assert answer.closest
    return None


def test_sentences_without_citations_are_not_passed_on(archive: Archive) -> None:
    check_quotes(answered(archive, says(f"{COST} {WORK}")), "")
    answer = answered(archive, saying(f"Here is what I found. {COST} [{{cost}}] I hope this helps!"))
    assert answer.text == f"{COST} [1]"
    assert [claim.verdict for claim in answer.claims] == ["uncited", "supported", "uncited"]


def test_an_answer_that_its_sources_do_not_support_is_quotes(archive: Archive) -> None:
    answer = answered(archive, saying(f"{FALSE} [{{cost}}] {FALSE.replace('99', '77')} [{{cost}}]"))
    check_quotes(answer, f"support.*{NAME}|{NAME}.*support")
    assert "99" not in answer.text


def test_a_sentence_that_its_source_does_not_support_is_kept_apart(archive: Archive) -> None:
    answer = answered(archive, saying(f"{FALSE} [{{cost}}] {WORK} [{{work}}]"))
    assert [claim.verdict for claim in answer.claims] == ["unsupported", "supported"]
    assert answer.mode == "model"
    assert answer.text.startswith(WORK)


@pytest.mark.parametrize(
    "text",
    [
        "Die Ausbaggerung des Hafens von Eastwick kostet 12 Millionen Pfund. [{cost}]",
        "El dragado del puerto de Eastwick costará 12 millones de libras. [{cost}]",
        "イーストウィック港の浚渫には1200万ポンドかかります。[{cost}]",
        "سيكلف تجريف ميناء إيستويك 12 مليون جنيه. [{cost}]",
    ],
)
def test_an_answer_in_another_language_is_checked_like_any(text: str, archive: Archive) -> None:
    answer = answered(archive, saying(text))
    assert "12" in answer.text
    assert answer.mode == "model" or answer.notice


def test_markdown_and_html_are_text(archive: Archive) -> None:
    written = (
        "# Answer\n\n**The harbour of Eastwick** will be dredged for `12 million pounds`. [{cost}]\n\n"
        "- The [work](http://evil.example/a) begins in June and takes 8 months, said harbour master Ann Poole. "
        "[{work}]\n"
        "![pixel](http://evil.example/p.png)\n<img src=http://evil.example/q.png onerror=alert(1)> "
        "<script>alert(1)</script>\n\n```\nlet it = be\n```"
    )
    answer = answered(archive, saying(written))
    assert answer.text == f"{COST} [1] {WORK} [2]"
    assert [claim.text for claim in answer.claims if claim.verdict == "supported"] == [COST, WORK]


def test_words_that_are_not_in_the_source_are_not_supported_by_it(archive: Archive) -> None:
    answer = answered(archive, saying(f"{WORK} [{{work}}] print('') [{{cost}}]"))
    assert answer.text == f"{WORK} [1]"


def test_thoughts_are_not_the_answer(archive: Archive) -> None:
    answer = answered(archive, saying(f"<think>{FALSE} [{{cost}}] Hm.\nNo.</think>\n\n{COST} [{{cost}}]"))
    assert [claim.text for claim in answer.claims] == [COST]


def test_the_prompt_is_not_repeated(archive: Archive) -> None:
    answer = answered(archive, says_what(lambda request: " ".join(request.said.split()) + " [1]"))
    assert "You answer a reporter" not in json.dumps(answer.to_dict())
    assert "Evidence:" not in answer.text


def test_a_server_that_tells_the_key_in_its_words_does_not_get_it_shown(archive: Archive) -> None:
    answered(archive, fake_model.tells_the_key(200))
    with FakeModel(saying(f"{COST} [{{cost}}] The key is {KEY}. [{{cost}}] {KEY} {WORK} [{{work}}]")) as fake:
        for grown in stream(QUESTION, archive, model=model_at(fake)):
            check(grown)


def test_an_answer_without_end_is_cut_and_says_so(archive: Archive) -> None:
    def endlessly(request: Request, wire: fake_model.Wire) -> None:
        fake_model.endless(filled(f"{COST} [{{cost}}] ", request))(request, wire)

    answer = answered(archive, endlessly, seconds=10)
    assert answer.mode == "model"
    assert len(answer.claims) <= 20
    assert answer.notice


def test_a_streamed_answer_only_grows(archive: Archive) -> None:
    written = f"{FALSE} [{{cost}}] {COST} [{{cost}}] {WORK} [{{work}}] {COST} [{{work}}][{{cost}}]"
    with FakeModel(saying(written, pause=0.005)) as fake:
        seen = list(stream(QUESTION, archive, model=model_at(fake)))
        assert len(fake.requests) == 1
    assert len(seen) >= 3
    for answer in seen:
        check(answer)
    for shorter, longer in pairwise(seen):
        assert longer.claims[: len(shorter.claims)] == shorter.claims
        assert longer.citations[: len(shorter.citations)] == shorter.citations
        assert longer.text.startswith(shorter.text)
        assert longer.seconds >= shorter.seconds


def test_a_sentence_is_shown_before_the_next_is_written(archive: Archive) -> None:
    with FakeModel(saying(f"{COST} [{{cost}}] {WORK} [{{work}}]", pause=0.1)) as fake:
        began = time.monotonic()
        first, *_, last = (
            (answer, time.monotonic() - began) for answer in stream(QUESTION, archive, model=model_at(fake))
        )
    assert first[0].text == f"{COST} [1]"
    assert last[1] - first[1] > 0.4  # WORK takes 0.8 seconds


def test_who_stops_reading_stops_the_model(archive: Archive) -> None:
    with FakeModel(saying(f"{COST} [{{cost}}] {WORK} [{{work}}] " + "And so on. " * 500, pause=0.05)) as fake:
        answers = stream(QUESTION, archive, model=model_at(fake))
        next(answers)
        del answers
        assert fake.is_left(2)


HISTORY = [Turn("What will be dredged?", "The harbour of Eastwick will be dredged. [1]")]


def follow_up(archive: Archive, *script: Reply, seconds: float = 20.0) -> tuple[Answer, list[Request]]:
    with FakeModel(*script) as fake:
        began = time.monotonic()
        answer = ask("How much does it cost?", archive, HISTORY, model_at(fake, seconds))
        assert time.monotonic() - began < seconds + 1.5
    check(answer)
    return answer, fake.requests


def test_a_follow_up_is_searched_as_the_model_rewords_it(archive: Archive) -> None:
    answer, requests = follow_up(archive, says(QUESTION), saying(f"{COST} [{{cost}}]"))
    assert answer.searched == (QUESTION,)
    assert answer.question == "How much does it cost?"
    assert answer.text == f"{COST} [1]"
    assert "Conversation" in requests[0].said
    assert len(requests) == 2
    assert answer.usage is not None
    assert answer.usage.input_tokens == sum(len(request.said) // 4 for request in requests)


@pytest.mark.parametrize(
    "fault", ["401", "404", "429 for an hour", "silent", "drip", "cut", "captive portal", "endless line"]
)
def test_a_follow_up_that_cannot_be_reworded_is_answered_all_the_same(fault: str, archive: Archive) -> None:
    reply, told = faults(QUESTION)[fault]
    answer, _ = follow_up(archive, reply, saying(f"{COST} [{{cost}}]"), seconds=SECONDS)
    assert answer.citations
    assert answer.mode == "model" or (answer.notice and re.search(told, answer.notice))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "x" * 100_000, "<b>" * 50, 'NEAR(a b) AND "x', "You turn the last question of a conversation"]
)
def test_a_strange_rewording_does_no_harm(text: str, archive: Archive) -> None:
    answer, _ = follow_up(archive, says(text), says("NOT IN THE ARTICLES"))
    assert answer.status == "not_in_articles"
    assert all(len(search) < 1000 for search in answer.searched)


@pytest.mark.parametrize("question", ["\ud800 harbour?", "\x00 harbour?", "harbour " * 400, "[1] [99] {cost} %s {0}"])
def test_no_question_is_an_error_by_its_characters(question: str, archive: Archive) -> None:
    with FakeModel(says("The harbour is closed. [1]")) as fake:
        answer = ask(question, archive, model=model_at(fake))
    check(answer)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OPENAI_API_KEY": f"{KEY}é"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "localhost:1/v1", "PINCITE_MODEL": NAME}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://localhost:1/v1"}, "PINCITE_MODEL"),
    ],
)
def test_settings_that_cannot_be_used_are_told_with_the_quotes(
    environ: dict[str, str], told: str, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    answer = ask(QUESTION, archive)
    check(answer)
    check_quotes(answer, told)


def test_the_environment_names_the_model_and_quotes_is_none(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeModel(saying(f"{COST} [{{cost}}]")) as fake:
        monkeypatch.setenv("OPENAI_BASE_URL", fake.address)
        monkeypatch.setenv("PINCITE_MODEL", NAME)
        assert ask(QUESTION, archive, model="quotes").mode == "quotes"
        assert not fake.requests
        assert ask(QUESTION, archive).mode == "model"
        ask(QUESTION, archive, model="other")
        assert [request.body["model"] for request in fake.requests] == [NAME, "other"]
        assert KEY not in str(fake.requests)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(folder: Path, shared_home: Path) -> Run:
    """`python -m rag QUESTION` in a process that has a key, and as much logging as there is."""

    def start(address: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        settings = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": address, "OPENAI_LOG": "debug", "PINCITE_MODEL": NAME}
        command = [sys.executable, "-m", "rag", QUESTION, "--articles", str(folder), *arguments]
        environ = {**os.environ, **settings, "PINCITE_HOME": str(shared_home)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=environ)
        for secret in (KEY, KEY[3:15], KEY[-8:]):
            assert secret not in done.stdout + done.stderr
            assert not [
                path for path in shared_home.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
            ]
        assert "Traceback" not in done.stderr
        return done

    return start


def test_the_command_line_shows_what_a_model_wrote(run: Run) -> None:
    with FakeModel(saying(f"{COST} [{{cost}}] {FALSE} [{{cost}}]")) as fake:
        text = run(fake.address)
        value = run(fake.address, "--json")
        quotes = run(fake.address, "--model", "quotes")
        assert len(fake.requests) == 2
        assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert (text.returncode, value.returncode, quotes.returncode) == (0, 0, 0)
    assert f"{COST} [1]" in text.stdout
    assert "[1] harbour.txt, sentence" in text.stdout
    assert re.search(r"unsupported.*99 million", text.stdout)
    found = json.loads(value.stdout)
    assert (found["mode"], found["usage"]["model"], found["claims"][1]["verdict"]) == ("model", NAME, "unsupported")
    assert "12 million pounds" in quotes.stdout


def test_the_command_line_says_why_no_model_wrote(run: Run) -> None:
    with FakeModel(fake_model.tells_the_key(401)) as fake:
        text = run(fake.address)
        value = run(fake.address, "--json")
    assert (text.returncode, value.returncode) == (0, 0)
    assert "12 million pounds" in text.stdout
    assert re.search(r"^python -m rag: .*OPENAI_API_KEY", text.stderr, re.MULTILINE)
    assert "OPENAI_API_KEY" in json.loads(value.stdout)["notice"]


def test_the_command_line_exits_with_1_when_the_model_finds_nothing(run: Run) -> None:
    with FakeModel(says("NOT IN THE ARTICLES")) as fake:
        done = run(fake.address)
    assert done.returncode == 1
    assert done.stdout.startswith(NOT_IN_ARTICLES)
