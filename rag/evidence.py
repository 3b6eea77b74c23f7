"""Question -> evidence: what is found and read for it, the sentences that an answer may cite, and their citations."""

from collections.abc import Sequence

from index.archive import Archive
from index.passages import Source
from index.search import search
from index.sentences import Sentence
from rag.conversation import Resolved
from rag.digest import asks_for_digest, leads, topic
from rag.reader import Reading, ReadSentence, read
from rag.types import Citation

PASSAGES = 16  # retrieved and read for a question
CLOSEST = 3  # sentences offered when there is no answer
BUDGET = 20  # sentences: what a person can check, and what a small language model reads well


def look(archive: Archive, question: Resolved) -> Reading:
    """Search and read. Files that have changed or gone since the archive was built are left out."""
    by_day = asks_for_digest(question.read) and not topic(question.read)
    found = (by_day and leads(archive, question.read, PASSAGES)) or search(archive, question.search, PASSAGES)
    present = {source for source in {hit.passage.source for hit in found} if archive.is_in_folder(source)}
    return read(question.read, [hit for hit in found if hit.passage.source in present])


def gather(*readings: Reading) -> tuple[ReadSentence, ...]:
    """The best sentences, of several readings in turn and each once; none without a quantity when one is asked for."""
    fitting = [[item for item in reading.sentences if item.fits_kind][:BUDGET] for reading in readings]
    in_turn = (items[place] for place in range(BUDGET) for items in fitting if place < len(items))
    each: dict[tuple[str, int], ReadSentence] = {}
    for item in in_turn:
        each.setdefault((item.source.file, item.sentence.number), item)
    return tuple(each.values())[:BUDGET]


def closest(evidence: Sequence[ReadSentence]) -> tuple[Citation, ...]:
    """What is offered where there is no answer."""
    return tuple(cite(item.source, item.sentence, number) for number, item in enumerate(evidence[:CLOSEST], 1))


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
