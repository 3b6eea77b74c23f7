"""Question -> hits: passages found by vectors and by words, joined by reciprocal-rank fusion."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.archive import Archive
from index.embed import embed
from index.passages import Passage

# Reciprocal-rank fusion: score = sum over the lists of 1 / (60 + rank). Cormack, Clarke and Büttcher, SIGIR 2009.
RANK_CONSTANT = 60
DEPTH = 50  # how far each list is read before the fusion

# Words that say nothing about the topic of a question. Only for the keyword search; the vectors see every word.
STOP_WORDS = frozenset(
    "a about after all also am an and any are as at be because been before being between both but by can could did do "
    "does doing during each few for from further had has have having he her here hers him his how i if in into is it "
    "its just me more most my no nor not of on once only or other our out over own same she should so some such than "
    "that the their them then there these they this those through to too under until up us very was we were what when "
    "where which while who whom whose why will with would you your tell say says said give show list according "
    "please".split()
)
_WORD = re.compile(r"[^\W_]+(?:[.’'][^\W_]+)*")


@dataclass(frozen=True)
class Hit:
    """A passage found for a question. `score` is the fused one (higher is better), `similarity` the cosine."""

    passage: Passage
    score: float
    similarity: float


def search(archive: Archive, question: str, count: int = 10) -> list[Hit]:
    """The `count` best passages of an archive for a question, best first."""
    vector = embed([question])[0]
    near = [number for number, _ in archive.nearest(vector, DEPTH)]
    matching = [number for number, _ in archive.matching(content_words(question), DEPTH)]
    fused = fuse([near, matching])
    best = sorted(fused, key=lambda number: (-fused[number], number))[:count]
    passages = archive.passages(best)
    similarities = archive.embeddings(best) @ vector
    return [
        Hit(passages[number], fused[number], float(similarity))
        for number, similarity in zip(best, similarities, strict=True)
    ]


def fuse(rankings: Sequence[Sequence[int]]) -> Mapping[int, float]:
    """Reciprocal-rank fusion of ranked lists of ids: id -> score. Ids that no list holds have none."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            scores[number] = scores.get(number, 0.0) + 1 / (RANK_CONSTANT + rank)
    return scores


def content_words(text: str) -> list[str]:
    """The distinct words of a text that tell its topic, in order; all of its words when no such word is there."""
    words = list(dict.fromkeys(_WORD.findall(text.lower())))
    return [word for word in words if word not in STOP_WORDS] or words
