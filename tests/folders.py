"""Small folders of articles for the tests of the index, and what an archive holds, to compare two of them."""

from contextlib import closing
from pathlib import Path
from typing import Any

from index import generations
from index.archive import Archive
from index.sync import archive_home

_LONG = " ".join(
    f"Resident number {number} of the valley told the council that water was short." for number in range(24)
)
STORIES = {
    "a.txt": "Harbour reopens\nexample.org 2023-05-01\n\nThe Harbour of Northport reopened. Ships came at once.\n",
    "b.txt": "The mayor resigned on Monday. “I am tired,” he said. Nobody had expected it.\n",
    "sub/c.txt": f"Valley runs dry\n\n{_LONG}\n\nLoad more\n",
}


def write(folder: Path, file: str, text: str) -> None:
    """Write an article, with its folders, newlines as they are."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def current(folder: Path, home: Path) -> Path:
    """The published generation of the archive of a folder."""
    generation = generations.current(archive_home(folder, home))
    assert generation is not None
    return generation


def content(folder: Path, home: Path) -> dict[str, Any]:
    """All that a published archive holds, but the numbers of passages: equal for equal folders."""
    with closing(Archive(folder, current(folder, home))) as archive:
        passages = archive.passages_after(0, 100_000)
        vectors = archive.vectors([passage.id for passage in passages])
        places = {
            passage.id: (passage.source.file, passage.sentences[0].number, passage.sentences[-1].number)
            for passage in passages
        }
        return {
            "sources": archive.sources(),
            "texts": {source.file: archive.text(source.file) for source in archive.sources()},
            "sentences": {source.file: archive.sentences(source.file) for source in archive.sources()},
            "passages": {places[passage.id]: (passage.source, passage.text) for passage in passages},
            "vectors": {places[number]: rows.tobytes() for number, rows in vectors.items()},
            "nearest": {
                place: sorted(
                    (places[near], round(cosine, 4)) for near, cosine in archive.nearest(vectors[number][0], 500)
                )
                for number, place in places.items()
            },
            "keywords": sorted(places[number] for number, _ in archive.matching(["the", "it", "he"], 1000)),
            "damage": generations.damaged(archive.generation),
        }
