"""Pincite's own retrieval, as the benchmark measures it beside `evals.peer`: a process of its own, orders by JSON."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from evals.peer import MODEL_TOKENS, TOP, Folder, Span, measure


class Pincite:
    """`index.sync` and `index.search`, with nothing left out: checksums, fsync and manifest of every build."""

    def build(self, folder: Folder, store: Path) -> None:
        from index.sync import sync

        sync(folder.path, store)

    def open(self, folder: Folder, store: Path) -> Callable[[str], object]:
        from index.search import search
        from index.sync import open_archive

        archive = open_archive(folder.path, store)
        return lambda question: search(archive, question, TOP)

    def embedded(self, folder: Folder, store: Path) -> Iterator[Span]:
        from index.embed import count_tokens
        from index.passages import parts
        from index.sync import open_archive

        archive = open_archive(folder.path, store)
        for passage in archive.passages_after(0, archive.counts.passages):
            heading, *texts = parts(passage.source.metadata, passage.sentences)
            left = MODEL_TOKENS - sum(count_tokens([heading]))
            for sentence, tokens in zip(passage.evidence, count_tokens(texts), strict=True):
                read = min(1.0, max(left, 0) / max(tokens, 1))  # of a sentence that is cut, as many characters
                yield passage.source.file, sentence.start, sentence.start + int(read * len(sentence.text))
                left -= tokens


if __name__ == "__main__":
    print(json.dumps(measure(Pincite(), json.load(sys.stdin))))
