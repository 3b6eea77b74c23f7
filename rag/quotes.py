"""Evidence -> claims without a language model: the best sentences word for word, those that agree cited together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.evidence import Evidence

MAX_CLAIMS = 3
MAX_WITNESSES = 3  # citations of one claim
NEAR_BEST = 0.88  # a further claim scores at least this share of the best one
SAME = 0.72  # cosine above which two sentences of different articles say the same


@dataclass(frozen=True)
class Quote:
    """One claim: the sentence quoted first, and those of other articles that say the same."""

    evidence: tuple[Evidence, ...]

    @property
    def text(self) -> str:
        return self.evidence[0].sentence.text


def choose(evidence: Sequence[Evidence]) -> Iterator[Quote]:
    """One to MAX_CLAIMS quotes, best first. Nothing is said twice: a sentence that repeats a quote is its witness."""
    if not evidence:
        return
    threshold = NEAR_BEST * evidence[0].score
    left = [item for item in evidence if item.score >= threshold]
    for _ in range(MAX_CLAIMS):
        if not left:
            return
        lead, rest = left[0], left[1:]
        same = [item for item in rest if float(item.vector @ lead.vector) >= SAME]
        files = {lead.source.file: lead}
        for item in same:
            files.setdefault(item.source.file, item)
        yield Quote(tuple(files.values())[:MAX_WITNESSES])
        left = [item for item in rest if not any(item is other for other in same)]
