"""Each metric on answers made by hand, with the value worked out by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

from evals import metrics
from evals.cases import Case, Evidence, Span
from evals.metrics import Outcome
from evals.statistics import Rate, kappa, mean, percentile
from rag.types import Answer, Citation, Claim, Disagreement, Side


def citation(start: int, end: int, number: int = 1, file: str = "a.txt", text: str = "…") -> Citation:
    return Citation(number, file, 1, start, end, text, None, None, None, "00")


def answer(citations: Sequence[Citation] = (), text: str = "", **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "question": "?", "status": "answered", "mode": "quotes", "text": text, "short_answer": None,
        "claims": tuple(Claim(c.text, (c.number,), "supported") for c in citations), "citations": tuple(citations),
        "closest": (), "disagreements": (), "seconds": 0.1,
    }  # fmt: skip
    return Answer(**(values | changes))


def outcome(given: Answer, passages: Sequence[Span] = ()) -> Outcome:
    return Outcome(given, tuple(passages))


def evidence(*places: tuple[str, int, int], text: str = "The call lasted 90 minutes.") -> Evidence:
    return Evidence(text, tuple(Span(*place) for place in places))


def case(*pieces: Evidence, answers: Sequence[str] = ("90 minutes",), **changes: Any) -> Case:
    return Case("c", "?", "fact", bool(pieces), tuple(answers) if pieces else (), pieces, **changes)


ONE = case(evidence(("a.txt", 100, 200)))
TWO = case(evidence(("a.txt", 100, 200)), evidence(("a.txt", 300, 400)))
NOT_THERE = case()
REFUSAL = answer(status="not_in_articles", closest=(citation(100, 200),))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (100, 200, True),  # the same
        (120, 180, True),  # inside
        (50, 400, True),  # around
        (150, 250, True),  # exactly half of both
        (151, 251, False),  # less than half of both
        (190, 210, True),  # half of the shorter one
        (189, 212, False),  # 11 of 23 characters
        (200, 300, False),  # touching
        (300, 400, False),
    ],
)
def test_spans_overlap_when_they_share_half_of_the_shorter(start: int, end: int, expected: bool) -> None:
    one, other = Span("a.txt", 100, 200), Span("a.txt", start, end)
    assert metrics.overlap(one, other) is metrics.overlap(other, one) is expected


def test_the_same_place_of_another_file_is_not_evidence() -> None:
    assert not metrics.is_right(citation(100, 200, file="b.txt"), ONE)


def test_a_repeated_sentence_is_evidence_at_each_of_its_places() -> None:
    repeated = case(evidence(("a.txt", 0, 50), ("a.txt", 500, 550), ("b.txt", 7, 57)))
    for place in (citation(0, 50), citation(500, 550), citation(7, 57, file="b.txt")):
        assert metrics.is_right(place, repeated)
    # citing it twice is one piece of evidence found, not two
    assert metrics.citation_recall(repeated, outcome(answer([citation(0, 50), citation(500, 550, 2)]))) == 1
    assert metrics.citation_precision(repeated, outcome(answer([citation(0, 50), citation(500, 550, 2)]))) == 1


def test_recall_at_k_looks_at_the_first_k_passages() -> None:
    passages = [Span("a.txt", place, place + 10) for place in range(1000, 1050, 10)] + [Span("a.txt", 90, 210)]
    assert metrics.evidence_recall_at(5, TWO, outcome(answer(), passages)) == 0
    assert metrics.evidence_recall_at(10, TWO, outcome(answer(), passages)) == 1
    assert metrics.evidence_share_at(10, TWO, outcome(answer(), passages)) == 0.5
    assert metrics.evidence_recall_at(10, TWO, outcome(answer(), ())) == 0
    assert metrics.evidence_recall_at(10, NOT_THERE, outcome(answer(), passages)) is None


def test_first_citation() -> None:
    right, wrong = citation(100, 200), citation(0, 90, 2)
    assert metrics.first_citation_right(ONE, outcome(answer([right, wrong]))) == 1
    assert metrics.first_citation_right(ONE, outcome(answer([wrong, right]))) == 0
    assert metrics.first_citation_right(ONE, outcome(answer())) == 0
    assert metrics.first_citation_right(ONE, outcome(REFUSAL)) == 0
    assert metrics.first_citation_right(NOT_THERE, outcome(answer([right]))) is None


def test_best_sentence_looks_at_the_closest_of_a_refusal() -> None:
    right, wrong = citation(100, 200), citation(0, 90, 2)
    assert metrics.best_sentence_right(ONE, outcome(REFUSAL)) == 1
    assert metrics.best_sentence_right(ONE, outcome(answer(status="not_in_articles", closest=(wrong, right)))) == 0
    assert metrics.best_sentence_right(ONE, outcome(answer(status="not_in_articles"))) == 0
    assert metrics.best_sentence_right(ONE, outcome(answer([right, wrong], closest=(wrong,)))) == 1
    assert metrics.best_sentence_right(NOT_THERE, outcome(REFUSAL)) is None


def test_citation_precision() -> None:
    cited = [citation(100, 200), citation(0, 90, 2), citation(500, 600, 3), citation(310, 390, 4)]
    assert metrics.citation_precision(TWO, outcome(answer(cited))) == 0.5
    assert metrics.citation_precision(TWO, outcome(answer())) == 0  # an answer without citations
    assert metrics.citation_precision(TWO, outcome(REFUSAL)) is None
    assert metrics.citation_precision(NOT_THERE, outcome(answer(cited))) is None


def test_citation_recall_is_over_at_most_four_pieces_of_evidence() -> None:
    six = case(*(evidence(("a.txt", start, start + 50)) for start in range(0, 600, 100)))
    all_six = [citation(start, start + 50) for start in range(0, 600, 100)]
    assert metrics.citation_recall(six, outcome(answer(all_six[:2]))) == 0.5
    assert metrics.citation_recall(six, outcome(answer(all_six[:4]))) == 1
    assert metrics.citation_recall(six, outcome(answer(all_six))) == 1
    assert metrics.citation_recall(six, outcome(answer())) == 0
    # the closest sentences of a refusal are not citations
    assert metrics.citation_recall(ONE, outcome(REFUSAL)) == 0
    assert metrics.citation_recall(NOT_THERE, outcome(answer(all_six))) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It lasted 90 minutes. [1]", 1),
        ("A 90–Minutes call", 1),  # case and dash
        ("It lasted 90\n  minutes", 1),
        ("It lasted 190 minutes", 0),  # within a word
        ("It lasted 90 minuteswise", 0),
        ("It lasted an hour and a half", 0),
        ("", 0),
    ],
)
def test_answer_holds_an_accepted_string(text: str, expected: float) -> None:
    assert metrics.answer_right(ONE, outcome(answer(text=text))) == expected


def test_quotes_of_every_form_are_alike() -> None:
    assert metrics.contains("“It’s over,” said D’Angelo", ['"it\'s over,"', "x"])


def test_a_citation_number_is_not_an_answer() -> None:
    three = case(evidence(("a.txt", 1, 30), text="He has 3 sisters."), answers=["3"])
    cited = [citation(1, 30, 3)]
    assert metrics.answer_right(three, outcome(answer(cited, "He has sisters. [3]"))) == 0
    assert metrics.answer_right(three, outcome(answer(cited, "He has 3 sisters. [3]"))) == 1
    # a number in brackets that is no citation is part of the text
    assert metrics.answer_right(three, outcome(answer((), "He has [3] sisters."))) == 1


def test_answers_that_stand_in_no_evidence_are_left_out() -> None:
    choice = case(evidence(("a.txt", 100, 200)), answers=["An hour and a half"])
    for measure in (metrics.answer_right, metrics.short_answer_given, metrics.short_answer_exact):
        assert measure(choice, outcome(answer(text="It lasted an hour and a half", short_answer="90"))) is None
    assert metrics.answer_right(NOT_THERE, outcome(answer(text="90 minutes"))) is None


def test_a_refusal_that_mentions_the_answer_is_not_right() -> None:
    refusal = answer(status="not_in_articles", text="The articles do not say. Closest: 90 minutes")
    assert metrics.answer_right(ONE, outcome(refusal)) == 0


def test_short_answers_by_the_rules_of_squad() -> None:
    def given(short: str | None) -> Outcome:
        return outcome(answer(text="90 minutes", short_answer=short))

    assert metrics.short_answer_exact(ONE, given("The 90 Minutes!")) == 1
    assert metrics.short_answer_f1(ONE, given("The 90 Minutes!")) == 1
    assert metrics.short_answer_exact(ONE, given("about 90 minutes")) == 0
    assert metrics.short_answer_f1(ONE, given("about 90 minutes")) == pytest.approx(0.8)  # 2*2 / (3+2)
    assert metrics.short_answer_f1(ONE, given("two hours")) == 0
    assert metrics.short_answer_given(ONE, given(None)) == 0
    assert metrics.short_answer_exact(ONE, given(None)) is None
    assert metrics.short_answer_given(ONE, outcome(REFUSAL)) == 0


def test_refusal_and_false_refusal() -> None:
    assert metrics.refusal(NOT_THERE, outcome(REFUSAL)) == 1
    assert metrics.refusal(NOT_THERE, outcome(answer())) == 0
    assert metrics.refusal(ONE, outcome(REFUSAL)) is None
    assert metrics.false_refusal(ONE, outcome(REFUSAL)) == 1
    assert metrics.false_refusal(ONE, outcome(answer())) == 0
    assert metrics.false_refusal(NOT_THERE, outcome(REFUSAL)) is None


def test_claims_supported_are_those_of_a_model() -> None:
    claims = (Claim("a", (1,), "supported"), Claim("b", (1,), "partly"), Claim("c", (), "uncited"))
    assert metrics.claims_supported(ONE, outcome(answer(claims=claims, mode="model"))) == pytest.approx(1 / 3)
    assert metrics.claims_supported(ONE, outcome(answer(claims=claims[1:], mode="model"))) == 0
    assert metrics.claims_supported(ONE, outcome(answer(claims=claims))) is None
    assert metrics.claims_supported(ONE, outcome(answer(mode="model", status="not_in_articles"))) is None


SIDES = case(evidence(("a.txt", 1, 9)), evidence(("b.txt", 1, 9)), answer_groups=(("Macron",), ("Putin", "Kremlin")))


def disagree(*sides: Side, citations: Sequence[Citation] = ()) -> Outcome:
    return outcome(answer(citations, disagreements=(Disagreement("who called", sides),)))


def test_sides_of_a_disagreement_are_looked_for_in_the_cited_sentences() -> None:
    macron, kremlin = citation(1, 9, 1, text="Macron called."), citation(1, 9, 2, "b.txt", "The Kremlin called.")
    assert metrics.sides_cited(SIDES, outcome(answer([macron, kremlin]))) == 1
    assert metrics.sides_cited(SIDES, outcome(answer([macron]))) == 0.5
    assert metrics.sides_cited(SIDES, outcome(REFUSAL)) == 0
    assert metrics.sides_cited(ONE, outcome(answer([macron]))) is None


def test_a_disagreement_is_shown_when_each_side_has_its_own() -> None:
    macron, kremlin = citation(1, 9, 1, text="Macron called."), citation(1, 9, 2, "b.txt", "The Kremlin called.")
    both = disagree(Side("one", (1,)), Side("other", (2,)), citations=[macron, kremlin])
    assert metrics.disagreement_shown(SIDES, both) == 1
    assert metrics.disagreement_shown(SIDES, disagree(Side("the Kremlin did", ()), Side("Macron did", ()))) == 1
    # one side that names both is no disagreement, nor are two sides with one name
    assert metrics.disagreement_shown(SIDES, disagree(Side("Macron and the Kremlin", ()), Side("neither", ()))) == 0
    assert metrics.disagreement_shown(SIDES, disagree(Side("Macron", ()), Side("Macron too", ()))) == 0
    assert metrics.disagreement_shown(SIDES, outcome(answer([macron, kremlin]))) == 0
    assert metrics.disagreement_shown(ONE, both) is None


def test_interval_is_wilsons() -> None:
    # 8 of 10: centre (0.8 + 3.8416 / 20) / 1.38416 = 0.7167, half width 0.2266
    assert Rate(0.8, 10).interval == pytest.approx((0.490, 0.943), abs=5e-4)
    assert Rate(1.0, 20).interval == pytest.approx((0.839, 1.0), abs=5e-4)
    assert Rate(0.0, 20).interval == pytest.approx((0.0, 0.161), abs=5e-4)


def test_kappa_is_cohens() -> None:
    # Cohen 1960: 20 yes and 15 no together, 5 and 10 apart: (0.7 - 0.5) / 0.5
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([(True, False), (False, True)]) == pytest.approx(-1)
    assert kappa([(True, True)] * 9) is None  # nothing to tell it from chance by
    assert kappa([]) is None


def test_mean_leaves_out_what_does_not_apply() -> None:
    assert mean([1.0, None, 0.0, None, 0.5]) == Rate(0.5, 3)
    assert mean([None]) is None


def test_percentile_is_the_nearest_rank() -> None:
    values = [float(value) for value in range(1, 21)]
    assert [percentile(values, percent) for percent in (50, 95, 100)] == [10, 19, 20]
    assert percentile([7.0], 95) == 7
