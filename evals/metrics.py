"""Answer, Case -> numbers. One function a metric; None where the metric does not apply to the case.

A right citation says little alone: an answer that copies the best passage scores 99 % of citation precision in
ALCE (Gao et al., EMNLP 2023, arXiv 2305.14627). So every citation metric here is about the hand-marked
evidence *of the question*, and is reported beside the correctness of the answer and beside baselines.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evals.cases import Case, Evidence, Span
from rag.types import Answer, Citation

MAX_CITATIONS = 4  # cap of the pieces of evidence asked for: an answer is to be read at a glance


@dataclass(frozen=True)
class Outcome:
    """What one system made of one case. `passages` are the 10 best that it retrieved, best first."""

    answer: Answer
    passages: tuple[Span, ...]


# ── where a citation stands ──


def overlap(one: Span, other: Span) -> bool:
    """Same file, and the shared characters are at least half of the shorter span.

    Half, not all: the evidence of some sets is a piece of a sentence, of others a run of several sentences.
    """
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.file == other.file and shared > 0 and 2 * shared >= min(one.end - one.start, other.end - other.start)


def holds(span: Span, evidence: Evidence) -> bool:
    """Whether a span overlaps a piece of evidence at any of its places."""
    return any(overlap(span, place) for place in evidence.places)


def is_right(citation: Citation, case: Case) -> bool:
    """Whether a citation is evidence of the case."""
    span = Span(citation.file, citation.start, citation.end)
    return any(holds(span, evidence) for evidence in case.evidence)


def refused(answer: Answer) -> bool:
    """Whether the answer is "not in these articles"."""
    return answer.status == "not_in_articles"


# ── retrieval: answerable cases ──


def evidence_recall_at(count: int, case: Case, outcome: Outcome) -> float | None:
    """1 when at least one piece of evidence stands in the first `count` passages, else 0.

    The rule of MultiHop-RAG's own program for Hits@k (any gold found).
    """
    share = evidence_share_at(count, case, outcome)
    return None if share is None else float(share > 0)


def evidence_share_at(count: int, case: Case, outcome: Outcome) -> float | None:
    """Share of the pieces of evidence that stand in the first `count` passages.

    The definition of MultiHop-RAG's paper (arXiv 2401.15391), stricter than the one of its program.
    """
    if not case.answerable:
        return None
    passages = outcome.passages[:count]
    found = sum(any(holds(passage, evidence) for passage in passages) for evidence in case.evidence)
    return found / len(case.evidence)


# ── citations: answerable cases ──


def first_citation_right(case: Case, outcome: Outcome) -> float | None:
    """1 when the first citation of the answer is evidence. A refusal, or an answer without citations, is 0."""
    if not case.answerable:
        return None
    citations = outcome.answer.citations
    return float(not refused(outcome.answer) and bool(citations) and is_right(citations[0], case))


def best_sentence_right(case: Case, outcome: Outcome) -> float | None:
    """1 when the first citation is evidence, or, in a refusal, the first of the closest sentences offered.

    How well sentences are ranked, whatever is refused.
    """
    if not case.answerable:
        return None
    shown = outcome.answer.closest if refused(outcome.answer) else outcome.answer.citations
    return float(bool(shown) and is_right(shown[0], case))


def citation_precision(case: Case, outcome: Outcome) -> float | None:
    """Right citations / citations, of answerable cases that were answered. An answer without citations is 0.

    Refusals are left out: `false_refusal` counts them.
    """
    if not case.answerable or refused(outcome.answer):
        return None
    citations = outcome.answer.citations
    return sum(is_right(citation, case) for citation in citations) / len(citations) if citations else 0.0


def citation_recall(case: Case, outcome: Outcome) -> float | None:
    """Pieces of evidence that are cited / min(pieces of evidence, MAX_CITATIONS), at most 1. A refusal is 0.

    Pieces of evidence often say the same in several articles, and how many distinct facts they hold is not marked:
    a low recall with a right answer means "cited one of several". So read it beside `answer_right`.
    """
    if not case.answerable:
        return None
    citations = () if refused(outcome.answer) else outcome.answer.citations
    spans = [Span(citation.file, citation.start, citation.end) for citation in citations]
    cited = sum(any(holds(span, evidence) for span in spans) for evidence in case.evidence)
    return min(1.0, cited / min(len(case.evidence), MAX_CITATIONS))


# ── answers: answerable cases ──


def plain(text: str) -> str:
    """Text to compare by: NFKC, case, quotes, dashes and white space made alike; a hyphen counts as a space."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"[‘’‚‛ʼ`´]", "'", text)
    text = re.sub(r"[“”„‟«»]", '"', text)
    return " ".join(re.sub(r"[-‐‑‒–—―−]", " ", text).split())


def contains(text: str, accepted: Iterable[str]) -> bool:
    """Whether an accepted string stands in the text, both made `plain`, at the boundaries of words."""
    return any(re.search(rf"(?<!\w){re.escape(plain(answer))}(?!\w)", plain(text)) for answer in accepted)


def is_quotable(case: Case) -> bool:
    """Whether an accepted string stands in the evidence. The answers of a multiple choice often stand nowhere."""
    return any(contains(evidence.text, case.answers) for evidence in case.evidence)


def answer_right(case: Case, outcome: Outcome) -> float | None:
    """1 when the text of the answer contains an accepted string. A refusal is 0. Quotable cases only."""
    if not is_quotable(case):
        return None
    answer = outcome.answer
    return float(not refused(answer) and contains(_without_numbers(answer), case.answers))


def _without_numbers(answer: Answer) -> str:
    """The text without its citation numbers: "[3]" is not the answer to "How many?"."""
    numbers = {citation.number for citation in answer.citations}
    return re.sub(r"\[(\d+)\]", lambda mark: " " if int(mark[1]) in numbers else mark[0], answer.text)


def short_answer_given(case: Case, outcome: Outcome) -> float | None:
    """1 when the answer has a short answer. The two metrics below are about these cases only. Quotable cases."""
    if not is_quotable(case):
        return None
    return float(not refused(outcome.answer) and bool(outcome.answer.short_answer))


def short_answer_exact(case: Case, outcome: Outcome) -> float | None:
    """SQuAD exact match (Rajpurkar et al., 2016) of the short answer with the best accepted string."""
    if not short_answer_given(case, outcome):
        return None
    short = _squad_words(outcome.answer.short_answer or "")
    return float(any(short == _squad_words(answer) for answer in case.answers))


def short_answer_f1(case: Case, outcome: Outcome) -> float | None:
    """SQuAD token F1 of the short answer with the best accepted string."""
    if not short_answer_given(case, outcome):
        return None
    short = _squad_words(outcome.answer.short_answer or "")
    return max(_token_f1(short, _squad_words(answer)) for answer in case.answers)


def _squad_words(text: str) -> list[str]:
    """SQuAD's normalisation: lower case, no punctuation, no articles. Ours first makes quotes and hyphens alike."""
    kept = "".join(character for character in plain(text) if character not in string.punctuation)
    return [word for word in kept.split() if word not in ("a", "an", "the")]


def _token_f1(one: Sequence[str], other: Sequence[str]) -> float:
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if shared else float(one == other)


def claims_supported(_: Case, outcome: Outcome) -> float | None:
    """Share of the claims that their citations support, of answers that a model wrote."""
    claims = outcome.answer.claims if outcome.answer.mode == "model" else ()
    return sum(claim.verdict == "supported" for claim in claims) / len(claims) if claims else None


# ── disagreements: cases that mark two or more sides ──


def sides_cited(case: Case, outcome: Outcome) -> float | None:
    """Share of the marked sides of a disagreement of which a cited sentence speaks. A refusal is 0."""
    if not case.answer_groups:
        return None
    citations = () if refused(outcome.answer) else outcome.answer.citations
    found = sum(any(contains(citation.text, group) for citation in citations) for group in case.answer_groups)
    return found / len(case.answer_groups)


def disagreement_shown(case: Case, outcome: Outcome) -> float | None:
    """1 when one of the answer's `disagreements` has a side of its own for each marked side, else 0."""
    if not case.answer_groups:
        return None
    answer = outcome.answer
    texts = {citation.number: citation.text for citation in answer.citations}
    for disagreement in answer.disagreements:
        says = [
            "\n".join([side.says, *(texts.get(number, "") for number in side.citations)]) for side in disagreement.sides
        ]
        if _matched(case.answer_groups, says):
            return 1.0
    return 0.0


def _matched(groups: Sequence[Sequence[str]], says: Sequence[str]) -> bool:
    """Whether each group can be given a text of its own that contains one of its strings."""
    if not groups:
        return True
    return any(
        contains(text, groups[0]) and _matched(groups[1:], [*says[:place], *says[place + 1 :]])
        for place, text in enumerate(says)
    )


# ── refusal ──


def refusal(case: Case, outcome: Outcome) -> float | None:
    """1 when an unanswerable question was refused."""
    return None if case.answerable else float(refused(outcome.answer))


def false_refusal(case: Case, outcome: Outcome) -> float | None:
    """1 when an answerable question was refused. Lower is better."""
    return float(refused(outcome.answer)) if case.answerable else None
