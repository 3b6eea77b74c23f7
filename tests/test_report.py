"""What the evaluation program shows: the page, the table, the summary line, and the scores of sentence boundaries."""

import json
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest

from evals import sentences as sentence_scores
from evals.cases import Case, Evidence, Span
from evals.judge import Judgement
from evals.metrics import Outcome
from evals.report import page
from evals.run import SYSTEM, Result
from evals.scores import failures, score
from evals.table import summary, table
from rag.types import Answer, Citation, Claim, Disagreement, Side, Turn, Usage

JUDGED = Judgement(False, False, "<b onclick=alert(3)>No.</b>")
PAYLOAD = "</pre></main><script>alert(1)</script><img src=http://x.example/p onerror=alert(2)>\"'@@cases@@{{7*7}}${7*7}"


class Page(HTMLParser):
    """Tags with their attributes, and the scripts' text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def answered(citation: Citation, **changes: Any) -> Answer:
    claim = Claim(citation.text, (1,), "supported")
    answer = Answer("?", "answered", "quotes", f"{citation.text} [1]", None, (claim,), (citation,), (), (), 0.1)
    return replace(answer, **changes)


def evil_result() -> Result:
    citation = Citation(1, PAYLOAD, 1, 0, 9, PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD, "0")
    answer = answered(
        citation,
        short_answer=PAYLOAD,
        disagreements=(Disagreement(PAYLOAD, (Side(PAYLOAD, (1,)),)),),
        closest=(citation,),
        mode="model",
        claims=(
            Claim(PAYLOAD, (1,), "unsupported", PAYLOAD),
            Claim("Bo said so.", (), "uncited", "it cites no sentence"),
        ),
        searched=(PAYLOAD,),
        notice=PAYLOAD,
        usage=Usage(PAYLOAD, 1200, 30, 0.0005),
    )
    evidence = (Evidence(PAYLOAD, (Span(PAYLOAD, 50, 99),)),)
    case = Case(PAYLOAD, PAYLOAD, PAYLOAD, True, (PAYLOAD,), evidence, (Turn(PAYLOAD, PAYLOAD),), ((PAYLOAD,),))
    outcome = Outcome(answer, (Span(PAYLOAD, 0, 9),))
    return Result(case, {SYSTEM: outcome, "keywords": outcome}, 0.1, (PAYLOAD,), 0.05, JUDGED)


def test_the_page_escapes_everything_and_needs_nothing_from_elsewhere() -> None:
    results = [evil_result()]
    text = page(PAYLOAD, results, score(results, PAYLOAD, PAYLOAD))
    tags = Page(text).tags
    names = [tag for tag, _ in tags]
    assert names.count("script") == 1
    assert not {"img", "iframe", "link", "object", "a", "b"} & set(names)
    assert not [attrs for _, attrs in tags if any(key in ("src", "href") or key.startswith("on") for key in attrs)]
    assert names.count("article") == 1  # the marker inside the payload is text
    (policy,) = (attrs["content"] for tag, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_the_page_shows_failures_first_with_what_the_filters_need() -> None:
    bad = evil_result()
    citation = Citation(1, "a.txt", 1, 0, 9, "It rained.", None, None, None, "0")
    case = Case("fine", "Rain?", "fact", True, ("rained",), (Evidence("It rained.", (Span("a.txt", 0, 9),)),))
    good = Result(case, {SYSTEM: Outcome(answered(citation), (Span("a.txt", 0, 9),))}, 0.1, ())
    assert failures(good) == ()
    early = ("citation not exact", "evidence not in top 10", "first citation wrong")
    assert failures(bad) == (*early, "a claim not supported", "judged not correct", "judged not faithful")
    text = page("set", [good, bad], score([good, bad]))
    articles = [attrs for tag, attrs in Page(text).tags if tag == "article"]
    assert [attrs["class"] for attrs in articles] == ["failed", "passed"]
    assert [json.loads(attrs["data-failures"] or "") for attrs in articles] == [list(failures(bad)), []]
    assert articles[0]["data-type"] == PAYLOAD


def test_the_page_shows_each_claim_with_its_verdict_and_reason_and_what_the_judge_said() -> None:
    result = evil_result()
    text = page("set", [result], score([result], "fake-1", "fake-2"))
    assert f'<li class="bad"><span class="text">{escape(PAYLOAD)} [1]</span> ' in text
    assert f'<span class="where">unsupported: {escape(PAYLOAD)}</span>' in text
    assert '<span class="text">Bo said so.</span> <span class="where">uncited: it cites no sentence</span>' in text
    assert f"not correct, not faithful: {escape(JUDGED.reason)}" in text
    assert "1,200 in, 30 out, 0.0005 dollars" in text


def test_table_and_summary_tell_of_faults() -> None:
    scores = score([evil_result()])
    assert "1 FAULTS" in table("set", scores)
    assert "citations exact 1 FAULTS" in summary("set", scores, None)
    assert summary("set", scores, 0).endswith("gate passed")
    assert summary("set", scores, 2).endswith("gate FAILED (2)")


def test_sentence_scores_on_a_text_marked_by_hand() -> None:
    text = "Mr. Bo left. She stayed.\nThe end\n"
    marked = [sentence_scores.Marked("a.txt", text, {(0, 12): False, (13, 24): False, (25, 32): True})]
    assert sentence_scores.lines(text) == [(0, 24), (25, 32)]
    # by line: ends 24 and 32 of 12, 24, 32: 2 * 2 / (2 + 3)
    assert sentence_scores.boundary_f1(marked, sentence_scores.lines) == pytest.approx(0.8)
    assert sentence_scores.exact_share(marked, sentence_scores.lines) == pytest.approx(1 / 3)
    assert sentence_scores.boundary_f1(marked, sentence_scores.rules) == 1
    assert sentence_scores.boilerplate(marked) == (2, 3, 0, 1)


def test_sentence_command_prints_a_row_per_article(capsys: pytest.CaptureFixture[str]) -> None:
    assert sentence_scores.main([]) == 0
    printed = capsys.readouterr().out
    assert sum(line.split(" ")[0].endswith(".txt") for line in printed.splitlines()) == 5
    assert "boundary F1" in printed
