"""An open archive: what it says of the articles is exactly what their files hold."""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from folders import STORIES, current, write

from index import generations
from index.archive import Archive
from index.errors import ArchiveWriteError
from index.home import CORPUS
from index.metadata import describe, read_metadata_file
from index.sentences import split
from index.sync import archive_home, open_archive, sync
from index.vectors import COLLECTION


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The default articles."""
    with closing(open_archive(CORPUS, tmp_path_factory.mktemp("home"))) as opened:
        yield opened


def files() -> list[str]:
    return sorted(path.name for path in CORPUS.glob("*.txt"))


def test_counts(archive: Archive) -> None:
    assert archive.counts.articles == len(files()) == 5
    assert archive.counts.sentences == sum(len(archive.sentences(file)) for file in files())
    assert archive.counts.passages == len(archive.passages_after(0, 1000))


@pytest.mark.parametrize("file", files())
def test_text_and_sentences_are_those_of_the_file(archive: Archive, file: str) -> None:
    decoded = (CORPUS / file).read_bytes().decode("utf-8")
    assert archive.text(file) == decoded
    assert archive.sentences(file) == split(decoded)


def test_sources_are_in_order_with_their_metadata(archive: Archive) -> None:
    sources = archive.sources()
    assert [source.file for source in sources] == files()
    given = read_metadata_file(CORPUS)
    for source in sources:
        assert source.metadata == describe(archive.text(source.file), given[source.file])
        assert source.encoding == "utf-8"
        assert archive.is_in_folder(source)


def test_unknown_file(archive: Archive) -> None:
    with pytest.raises(KeyError):
        archive.text("nowhere.txt")
    with pytest.raises(KeyError):
        archive.sentences("nowhere.txt")


def test_passages_are_slices_of_the_text(archive: Archive) -> None:
    for passage in archive.passages_after(0, 1000):
        text = archive.text(passage.source.file)
        first, last = passage.sentences[0], passage.sentences[-1]
        assert passage.text == text[first.start : last.end]
        assert passage.sentences == archive.sentences(passage.source.file)[first.number - 1 : last.number]


def test_unknown_passages_are_left_out(archive: Archive) -> None:
    assert set(archive.passages([1, 2, 10**6])) == {1, 2}
    assert archive.passages([]) == {}
    assert archive.vectors([]) == {}


def test_vectors_are_unit_rows_of_the_passage_and_its_sentences(archive: Archive) -> None:
    passages = archive.passages_after(0, 1000)
    vectors = archive.vectors([passage.id for passage in passages])
    for passage in passages:
        rows = vectors[passage.id]
        assert rows.shape == (1 + len(passage.evidence), 384)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=2e-3)


def test_nearest_is_exact_search(archive: Archive) -> None:
    passages = archive.passages_after(0, 1000)
    vectors = archive.vectors([passage.id for passage in passages])
    everything = np.stack([vectors[passage.id][0] for passage in passages])
    for passage in passages:
        query = vectors[passage.id][0] / np.linalg.norm(vectors[passage.id][0])
        found = archive.nearest(query, 10)
        cosines = np.sort(everything @ query)[::-1][:10]
        np.testing.assert_allclose([cosine for _, cosine in found], cosines, atol=2e-3)
        assert found[0][0] == passage.id


def test_nearest_of_more_than_there_are(archive: Archive) -> None:
    assert len(archive.nearest(archive.vectors([1])[1][0], 10_000)) == archive.counts.passages


def test_llama_index_opens_the_same_collection(archive: Archive, tmp_path: Path) -> None:
    """A program that knows nothing of Pincite gets nodes with exact offsets."""
    import chromadb
    from llama_index.core.vector_stores.types import VectorStoreQuery
    from llama_index.vector_stores.chroma import ChromaVectorStore

    shutil.copytree(archive.generation / generations.CHROMA, tmp_path / "chroma")
    client = chromadb.PersistentClient(str(tmp_path / "chroma"))
    store = ChromaVectorStore(chroma_collection=client.get_collection(COLLECTION))
    query = VectorStoreQuery(query_embedding=archive.vectors([1])[1][0].tolist(), similarity_top_k=5)
    nodes = store.query(query).nodes
    client.close()
    assert nodes is not None
    assert len(nodes) == 5
    for node in nodes:
        text = archive.text(node.metadata["file"])
        assert node.get_content() == text[node.start_char_idx : node.end_char_idx]  # type: ignore[attr-defined]
        assert node.ref_doc_id == node.metadata["file"]


def test_searching_leaves_the_generation_as_it_was(archive: Archive) -> None:
    """Chroma writes to what it opens: it must only ever be given a copy."""
    archive.nearest(archive.vectors([1])[1][0], 5)
    archive.matching(["putin"], 5)
    assert generations.damaged(archive.generation) == set()


def test_threads_get_the_same_answers(archive: Archive) -> None:
    query = archive.vectors([1])[1][0]
    expected = archive.nearest(query, 5), archive.matching(["macron"], 5), archive.text(files()[0])
    results = []

    def ask() -> None:
        for _ in range(10):
            results.append((archive.nearest(query, 5), archive.matching(["macron"], 5), archive.text(files()[0])))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80
    assert all(result == expected for result in results)


def test_is_in_folder(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        write(folder, name, STORIES[name])
    with closing(open_archive(folder, tmp_path / "home")) as archive:
        sources = archive.sources()
        assert all(archive.is_in_folder(source) for source in sources)
        write(folder, "a.txt", STORIES["a.txt"] + " ")
        (folder / "b.txt").unlink()
        (folder / "sub" / "c.txt").unlink()
        os.mkfifo(folder / "sub" / "c.txt")
        assert not any(archive.is_in_folder(source) for source in sources)
        (folder / "b.txt").symlink_to(tmp_path / "kept.txt")
        (tmp_path / "kept.txt").write_text(STORIES["b.txt"])
        assert not archive.is_in_folder(sources[1])


def test_close_removes_the_copy_of_the_vectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "articles", "a.txt", STORIES["a.txt"])
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    archive = open_archive(tmp_path / "articles", tmp_path / "home")
    archive.nearest(archive.vectors([1])[1][0], 1)
    (copy,) = (tmp_path / "temporary").iterdir()
    assert copy.stat().st_mode & 0o077 == 0
    assert not archive.closed
    archive.close()
    assert archive.closed
    assert not copy.exists()
    archive.close()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def test_threads_that_search_first_make_one_copy_of_the_vectors(tmp_path: Path, temporary: Path) -> None:
    write(tmp_path / "articles", "a.txt", STORIES["a.txt"])
    start = threading.Barrier(8)
    with closing(open_archive(tmp_path / "articles", tmp_path / "home")) as archive:
        query = archive.vectors([1])[1][0]

        def search() -> None:
            start.wait()
            archive.nearest(query, 1)

        threads = [threading.Thread(target=search) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list(temporary.iterdir())) == 1


def test_copies_of_killed_processes_are_deleted(tmp_path: Path, temporary: Path) -> None:
    write(tmp_path / "articles", "a.txt", STORIES["a.txt"])
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    (temporary / f"pincite-{ended.pid}-a" / "chroma").mkdir(parents=True)
    kept = [
        f"pincite-{os.getppid()}-a",
        "pincite-a",
        "pincite-notes-a",
        f"pincite-{'9' * 30}-a",
        f"other-{ended.pid}-a",
    ]
    for name in kept:
        (temporary / name).mkdir()
    (temporary / f"pincite-{ended.pid}-link").symlink_to(tmp_path / "articles")
    with closing(open_archive(tmp_path / "articles", tmp_path / "home")) as archive:
        archive.nearest(archive.vectors([1])[1][0], 1)
    assert sorted(path.name for path in temporary.iterdir()) == sorted([*kept, f"pincite-{ended.pid}-link"])
    assert (tmp_path / "articles" / "a.txt").exists()


@pytest.mark.parametrize("damage", ["empty", "no database"])
def test_vectors_that_cannot_be_opened(tmp_path: Path, temporary: Path, damage: str) -> None:
    write(tmp_path / "articles", "a.txt", STORIES["a.txt"])
    with closing(open_archive(tmp_path / "articles", tmp_path / "home")) as archive:
        shutil.rmtree(archive.generation / generations.CHROMA)
        (archive.generation / generations.CHROMA).mkdir()
        if damage == "no database":
            (archive.generation / generations.CHROMA / "chroma.sqlite3").write_bytes(b"x" * 5000)
        with pytest.raises(ArchiveWriteError, match="no copy of the vectors"):
            archive.nearest(archive.vectors([1])[1][0], 1)
        assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("ending", ["closed", "forgotten"])
def test_an_open_archive_keeps_its_generation(tmp_path: Path, ending: str) -> None:
    """Also its vectors, of which it has no copy before the first search."""
    folder, home = tmp_path / "articles", tmp_path / "home"
    write(folder, "a.txt", STORIES["a.txt"])
    archive = open_archive(folder, home)
    for number in range(3):
        write(folder, "a.txt", f"Version {number}. It is new.")
        sync(folder, home)
    assert archive.nearest(archive.vectors([1])[1][0], 1)[0][0] == 1
    generation = archive.generation
    if ending == "closed":
        archive.close()
    else:
        del archive
        gc.collect()
    write(folder, "a.txt", "The last version. It is new.")
    sync(folder, home)
    assert not generation.exists()


@pytest.mark.parametrize(
    "name", [b"two words", b"a?b#c%41", b'it\'s "quoted"', b"new\nline", "Новости".encode(), b"caf\xe9", b"-rf"]
)
def test_any_folder_name(tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / os.fsdecode(name)
    home = tmp_path / f"{name.decode('ascii', 'ignore')} home"
    write(folder, "a.txt", STORIES["a.txt"])
    with closing(open_archive(folder, home)) as archive:
        assert archive.text("a.txt") == STORIES["a.txt"]
        assert archive.nearest(archive.vectors([1])[1][0], 1)[0][0] == 1
    assert sync(folder, home).embedded == 0
    assert current(folder, home) == archive.generation


def test_home_that_is_not_utf8(tmp_path: Path) -> None:
    """Chroma takes no such path."""
    write(tmp_path / "articles", "a.txt", STORIES["a.txt"])
    with pytest.raises(ArchiveWriteError, match="set PINCITE_HOME"):
        open_archive(tmp_path / "articles", tmp_path / os.fsdecode(b"caf\xe9"))


def test_places_of_archives(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "link").symlink_to(tmp_path)
    assert archive_home(tmp_path, home) == archive_home(tmp_path / "link", home)
    assert archive_home(tmp_path, home) == archive_home(tmp_path / "x" / "..", home)
    assert archive_home(tmp_path / "a", home) != archive_home(tmp_path / "b" / "a", home)
    assert archive_home(Path("/"), home).name.startswith("root-")
    assert len(archive_home(tmp_path / ("é" * 120), home).name) < 60
