"""Cases -> results: ask every question, and every baseline, over one archive."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evals.baselines import PASSAGES, baselines, spans
from evals.cases import Articles, Case
from evals.exactness import faults
from evals.metrics import Outcome
from index.archive import Archive
from index.search import search
from rag import ask
from rag.conversation import resolve

SYSTEM = "pincite"


@dataclass(frozen=True)
class Result:
    """What the system (SYSTEM) and each baseline made of a case. `seconds` and `faults` are the system's."""

    case: Case
    outcomes: Mapping[str, Outcome]
    seconds: float  # wall time of `ask`
    faults: tuple[str, ...]  # citations that are not exact


def run(cases: Sequence[Case], archive: Archive, articles: Articles) -> Iterator[Result]:
    """A result per case, in order. Models are loaded before the first one, so that every time is a warm one."""
    others = baselines()
    ask(cases[0].question, archive, cases[0].history)
    for case in cases:
        began = time.perf_counter()
        answer = ask(case.question, archive, case.history)
        seconds = time.perf_counter() - began
        # Retrieval is compared on one and the same text; resolving a follow-up is not part of it.
        question = resolve(case.question, case.history).search
        passages = [hit.passage for hit in search(archive, question, PASSAGES)]
        outcomes = {SYSTEM: Outcome(answer, spans(passages))}
        outcomes |= {name: baseline(archive, question) for name, baseline in others.items()}
        yield Result(case, outcomes, seconds, tuple(faults(answer, articles)))
