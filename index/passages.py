"""Article -> passages: overlapping runs of whole sentences, the unit that is embedded and searched."""

from collections.abc import Sequence
from dataclasses import dataclass

from index.dates import in_words
from index.metadata import Metadata
from index.sentences import Sentence

# About 160 word pieces: with question and heading this fits what the reader sees at once (224).
MAX_CHARACTERS = 720
MAX_OVERLAP = 160  # characters; a longer sentence stands on its own, and repeating it costs a quarter of a passage


@dataclass(frozen=True)
class Source:
    """An indexed article without its text."""

    file: str
    sha256: str
    encoding: str
    metadata: Metadata


@dataclass(frozen=True)
class Passage:
    """A run of sentences of one article. `id` is never reused in an archive, also not after a deletion."""

    id: int
    source: Source
    sentences: tuple[Sentence, ...]
    text: str  # the article's own text from the first sentence to the last

    @property
    def evidence(self) -> tuple[Sentence, ...]:
        """The sentences that may be cited."""
        return tuple(sentence for sentence in self.sentences if not sentence.boilerplate)


def runs(sentences: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Inclusive (first, last) sentence numbers of the passages of an article.

    A passage holds up to MAX_CHARACTERS of evidence, and at least one sentence. The next one repeats its last
    sentence when that is short, so that a pronoun or an attribution is rarely cut from what it refers to.
    Boilerplate does not count, and does not start or end a passage.
    """
    evidence = [sentence for sentence in sentences if not sentence.boilerplate]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(evidence):
        last, length = first, len(evidence[first].text)
        while last + 1 < len(evidence) and length + len(evidence[last + 1].text) < MAX_CHARACTERS:
            last += 1
            length += 1 + len(evidence[last].text)
        found.append((evidence[first].number, evidence[last].number))
        if last + 1 == len(evidence):
            break
        repeats = last > first and len(evidence[last].text) <= MAX_OVERLAP
        first = last if repeats else last + 1
    return found


def heading(metadata: Metadata) -> str:
    """Headline and date in words: what gives a passage its topic when it is embedded or read by a model."""
    return " · ".join(part for part in (metadata.title, in_words(metadata.date)) if part)


def parts(metadata: Metadata, sentences: Sequence[Sentence]) -> tuple[str, ...]:
    """What is embedded of a passage: its heading, then its evidence sentences."""
    evidence = tuple(sentence.text for sentence in sentences if not sentence.boilerplate)
    return (heading(metadata), *evidence)
