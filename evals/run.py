"""Cases -> results: ask every question, and every baseline, over one archive.

Quotes answer unless a model is given, whatever the environment says.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from evals.baselines import PASSAGES, baselines, spans
from evals.cases import Articles, Case
from evals.exactness import faults
from evals.judge import Judgement, judge
from evals.metrics import Outcome, refused
from evals.replies import nowhere
from index.archive import Archive
from index.search import search
from rag import ask, stream
from rag.conversation import resolve
from rag.llm import QUOTES, Model
from rag.types import Answer

SYSTEM = "pincite"


@dataclass(frozen=True)
class Result:
    """What the system (SYSTEM) and each baseline made of a case. All else is about the system's answer."""

    case: Case
    outcomes: Mapping[str, Outcome]
    seconds: float  # wall time of the whole answer
    faults: tuple[str, ...]  # citations that are not exact
    first: float = 0.0  # seconds to the first sentence that is shown
    judgement: Judgement | None = None  # None: there is no judge, or it is a refusal


def run(
    cases: Sequence[Case],
    archive: Archive,
    articles: Articles,
    model: Model | None = None,
    judged_by: Model | None = None,
) -> Iterator[Result]:
    """A result per case, in order. What answers is loaded before the first one, so that every time is a warm one."""
    others = baselines()
    ask(cases[0].question, archive, cases[0].history, QUOTES)
    if model:
        ask(cases[0].question, archive, cases[0].history, replace(model, transport=nowhere()))
    for case in cases:
        answer, first, seconds = _answered(case, archive, model)
        # Retrieval is compared on one and the same text; resolving a follow-up is not part of it.
        question = resolve(case.question, case.history).search
        passages = [hit.passage for hit in search(archive, question, PASSAGES)]
        outcomes = {SYSTEM: Outcome(answer, spans(passages))}
        outcomes |= {name: baseline(archive, question) for name, baseline in others.items()}
        judgement = judge(case, answer, judged_by) if judged_by and not refused(answer) else None
        yield Result(case, outcomes, seconds, tuple(faults(answer, articles)), first, judgement)


def _answered(case: Case, archive: Archive, model: Model | None) -> tuple[Answer, float, float]:
    """The answer, the seconds to its first sentence, and those to its end."""
    began = time.perf_counter()
    grown = [
        (answer, time.perf_counter() - began)
        for answer in stream(case.question, archive, case.history, model or QUOTES)
    ]
    return grown[-1][0], grown[0][1], grown[-1][1]
