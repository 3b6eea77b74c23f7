"""Reading -> evidence: the sentences that an answer may cite, best first, and their citations."""

from index.passages import Source
from index.sentences import Sentence
from rag.reader import Reading, ReadSentence
from rag.types import Citation

BUDGET = 20  # sentences: what a person can check, and what a small language model reads well


def gather(reading: Reading) -> tuple[ReadSentence, ...]:
    """The best sentences of a reading; none without a quantity when a quantity is asked for."""
    return tuple(item for item in reading.sentences if item.fits_kind)[:BUDGET]


def cite(source: Source, sentence: Sentence, number: int) -> Citation:
    """The citation of a sentence under the number that it has in an answer."""
    known = source.metadata
    return Citation(
        number=number,
        file=source.file,
        sentence=sentence.number,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        title=known.title,
        publisher=known.publisher,
        date=known.date,
        sha256=source.sha256,
    )
