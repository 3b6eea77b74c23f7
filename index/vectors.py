"""Passage vectors in Chroma: written as LlamaIndex nodes, searched through chromadb.

The collection can be opened by any LlamaIndex program (`ChromaVectorStore`). It can always be built again from
the archive's SQLite file without embedding anything, so it is never repaired.

Opening a Chroma folder writes to it, and its HNSW files are not crash-safe. So a finished folder is never
opened: a search opens a private copy of it.
"""

import os
import re
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.passages import Passage

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

COLLECTION = "passages"
BATCH = 1000  # records a call; Chroma refuses more than 5,461
# Cosine space, and a search wide enough for recall 0.999 against exact search (at 10,940 real passages).
CONFIGURATION = {"hnsw": {"space": "cosine", "ef_search": 200}}


def update(folder: Path, removed: Sequence[int], added: Iterable[tuple[Passage, np.ndarray]]) -> int:
    """Remove passages by id and add passages with their unit vectors; return the new count.

    `folder` is made when it does not exist. Ids must be new: Chroma ignores a record whose id it already has.
    Raises OSError when the disk does not take it.
    """
    from chromadb.errors import ChromaError
    from llama_index.vector_stores.chroma import ChromaVectorStore

    client = None
    try:
        client = _client(folder)
        collection = client.get_or_create_collection(COLLECTION, configuration=CONFIGURATION)  # type: ignore[arg-type]
        for start in range(0, len(removed), BATCH):
            collection.delete(ids=[str(number) for number in removed[start : start + BATCH]])
        store = ChromaVectorStore(chroma_collection=collection)
        rows = iter(added)
        while batch := list(islice(rows, BATCH)):
            store.add([_node(passage, vector) for passage, vector in batch])
        return collection.count()
    except ChromaError as error:
        raise OSError(f"Chroma: {error}") from error
    finally:
        if client:
            client.close()


def _node(passage: Passage, vector: np.ndarray) -> "TextNode":
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

    source, sentences = passage.source, passage.sentences
    known = {"title": source.metadata.title, "publisher": source.metadata.publisher, "date": source.metadata.date}
    metadata: dict[str, Any] = {
        "file": source.file,
        "sha256": source.sha256,
        "first_sentence": sentences[0].number,
        "last_sentence": sentences[-1].number,
    }
    return TextNode(
        id_=str(passage.id),
        text=passage.text,
        embedding=vector.tolist(),
        start_char_idx=sentences[0].start,
        end_char_idx=sentences[-1].end,
        metadata=metadata | {key: value for key, value in known.items() if value},
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=source.file)},
    )


class Vectors:
    """Nearest-neighbour search in a private copy of a finished Chroma folder.

    Raises OSError when the copy cannot be made, or is not what Chroma can open.
    """

    def __init__(self, folder: Path) -> None:
        from chromadb.errors import ChromaError

        _sweep()
        with ExitStack() as opened:
            copy = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=f"pincite-{os.getpid()}-"))) / "chroma"
            shutil.copytree(folder, copy)
            try:
                client = _client(copy)
                opened.callback(client.close)
                self._collection = client.get_collection(COLLECTION)
                self._count = self._collection.count()
            except ChromaError as error:
                raise OSError(f"Chroma: {error}") from error
            self._finalizer = weakref.finalize(self, opened.pop_all().close)

    def nearest(self, vector: np.ndarray, count: int) -> list[tuple[int, float]]:
        """(passage id, cosine) of the `count` nearest passages to a unit vector of shape (384,), best first."""
        count = min(count, self._count)
        if count == 0:  # articles of nothing but boilerplate have no passage, and Chroma refuses to look for none
            return []
        found = self._collection.query(query_embeddings=vector[np.newaxis], n_results=count, include=["distances"])
        distances = (found["distances"] or [[]])[0]
        return [(int(name), 1.0 - distance) for name, distance in zip(found["ids"][0], distances, strict=True)]

    def close(self) -> None:
        """Release Chroma and delete the copy. Called at exit in any case."""
        self._finalizer()


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))


def _sweep() -> None:
    """Delete the copies of processes of this user that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob("pincite-*-*"):
        owner = re.match(r"pincite-([0-9]{1,9})-", folder.name)
        with suppress(OSError):
            if not owner or folder.lstat().st_uid != os.getuid() or not stat.S_ISDIR(folder.lstat().st_mode):
                continue
            try:
                os.kill(int(owner[1]), 0)
            except ProcessLookupError:
                shutil.rmtree(folder, ignore_errors=True)
