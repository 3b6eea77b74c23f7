"""Killed, full, read-only, damaged, busy: a reader gets the old or the new state, and the next build mends the rest."""

import itertools
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from folders import STORIES, content, current, write

from index import generations
from index.errors import ArchiveBusyError, ArchiveWriteError
from index.sync import archive_home, open_archive, sync

# Children are forked from a process that has the packages loaded: a kill then falls into the work, not into imports.
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    ["pytest", "index.__main__", "llama_index.vector_stores.chroma", "onnxruntime", "tokenizers"]
)
# Native calls that change what is on disk. A child is killed right before the k-th of them.
WRITES = frozenset(
    "fsync commit execute executemany executescript replace rename mkdir rmdir unlink chmod write add delete copyfile "
    "sendfile open start close".split()
)


@dataclass(frozen=True)
class Place:
    """A folder that was synced and then changed, and what its archive must hold before and after the next sync."""

    folder: Path
    home: Path
    kept: Path  # a copy of the home as the first sync left it
    old: dict[str, Any]
    new: dict[str, Any]

    def reset(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.kept, self.home)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("crash")
    folder, home = root / "articles", root / "home"
    for name, text in STORIES.items():
        write(folder, name, text)
    sync(folder, home)
    old = content(folder, home)
    shutil.copytree(home, root / "kept")
    write(folder, "a.txt", "A changed article. It has other sentences.")
    write(folder, "new.txt", "A new article. Nobody expected it.")
    (folder / "b.txt").rename(folder / "renamed.txt")
    sync(folder, root / "clean")
    return Place(folder, home, root / "kept", old, content(folder, root / "clean"))


def run(work: Callable[..., None], *arguments: Any) -> tuple[int | None, list[Any]]:
    """Run `work(connection, *arguments)` in a child; its exit code (negative: the signal) and what it sent."""
    receiver, sender = FORKED.Pipe(duplex=False)
    child = FORKED.Process(target=work, args=(sender, *arguments))
    child.start()
    sender.close()
    sent = []
    with receiver:
        while True:
            try:
                sent.append(receiver.recv())
            except EOFError:
                break
    child.join()
    return child.exitcode, sent


# Killed


def sync_until(connection: Connection, folder: Path, home: Path, last: int) -> None:
    """Sync, and die by SIGKILL right before the write number `last`; sends the number of writes when it survives."""
    done = 0

    def count(_frame: Any, event: str, function: Any) -> None:
        nonlocal done
        if event == "c_call" and function.__name__ in WRITES:
            done += 1
            if done == last:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    sync(folder, home)
    sys.setprofile(None)
    connection.send(done)


def assert_mended(place: Place, states: list[dict[str, Any] | None]) -> int:
    """What is published after a crash is one of `states`; the next sync ends at the new one. Passages it embedded."""
    found = None
    if generations.current(archive_home(place.folder, place.home)):
        found = content(place.folder, place.home)
    assert found in states
    report = sync(place.folder, place.home)
    assert content(place.folder, place.home) == place.new
    assert len(list(archive_home(place.folder, place.home).glob("gen-*"))) <= 2
    return report.embedded


def test_killed_before_each_write_of_an_update(place: Place) -> None:
    place.reset()
    code, sent = run(sync_until, place.folder, place.home, 0)
    assert code == 0
    assert sent[0] > 40
    embedded = []
    for last in sorted({1, sent[0], *random.Random(1).sample(range(1, sent[0]), 10)}):
        place.reset()
        code, _ = run(sync_until, place.folder, place.home, last)
        assert code == -signal.SIGKILL
        embedded.append(assert_mended(place, [place.old, place.new]))
    assert embedded[0] == 2  # killed early: all is embedded by the next build
    assert embedded[-1] == 0  # killed late: what it had embedded is used
    assert embedded == sorted(embedded, reverse=True)


def test_killed_before_each_write_of_a_first_build(place: Place) -> None:
    shutil.rmtree(place.home, ignore_errors=True)
    _, sent = run(sync_until, place.folder, place.home, 0)
    for last in sorted(random.Random(2).sample(range(1, sent[0] + 1), 5)):
        shutil.rmtree(place.home, ignore_errors=True)
        code, _ = run(sync_until, place.folder, place.home, last)
        assert code == -signal.SIGKILL
        assert_mended(place, [None, place.new])


def test_killed_at_random_times(place: Place) -> None:
    """Also inside native code, where no write can be counted."""
    delays = random.Random(3)
    killed = 0
    for _ in range(6):
        place.reset()
        child = FORKED.Process(target=sync, args=(place.folder, place.home))
        child.start()
        child.join(delays.uniform(0.02, 0.5))
        child.kill()
        child.join()
        killed += child.exitcode == -signal.SIGKILL
        assert_mended(place, [place.old, place.new])
    assert killed > 1


def test_many_killed_builds_leave_no_heap(place: Place) -> None:
    place.reset()
    _, sent = run(sync_until, place.folder, place.home, 0)
    place.reset()
    size = sum(path.stat().st_size for path in place.kept.rglob("*") if path.is_file())
    for _ in range(4):
        run(sync_until, place.folder, place.home, sent[0] // 2)
    assert sum(path.stat().st_size for path in place.home.rglob("*") if path.is_file()) < 3 * size
    assert_mended(place, [place.old])


# Two at once


def hold(connection: Connection, folder: Path, home: Path) -> None:
    """Sync, and stop for ever once something is embedded."""

    def stop(_done: int, _total: int) -> None:
        connection.send("embedded")
        signal.pause()

    sync(folder, home, stop)


def test_second_build_is_busy_and_readers_get_the_last_generation(place: Place) -> None:
    place.reset()
    receiver, sender = FORKED.Pipe(duplex=False)
    child = FORKED.Process(target=hold, args=(sender, place.folder, place.home))
    child.start()
    try:
        assert receiver.recv() == "embedded"
        with pytest.raises(ArchiveBusyError, match=f"process {child.pid} is building"):
            sync(place.folder, place.home)
        with closing(open_archive(place.folder, place.home)) as archive:
            assert {source.file: archive.text(source.file) for source in archive.sources()} == place.old["texts"]
    finally:
        child.kill()
        child.join()
    assert assert_mended(place, [place.old]) == 0  # the lock died with its process, and its embeddings are used


def test_second_first_build_is_busy(place: Place) -> None:
    shutil.rmtree(place.home, ignore_errors=True)
    receiver, sender = FORKED.Pipe(duplex=False)
    child = FORKED.Process(target=hold, args=(sender, place.folder, place.home))
    child.start()
    try:
        assert receiver.recv() == "embedded"
        with pytest.raises(ArchiveBusyError):
            open_archive(place.folder, place.home)
    finally:
        child.kill()
        child.join()
    assert assert_mended(place, [None]) == 0


def command(connection: Connection, folder: Path, home: Path, start: float) -> None:
    """`python -m index` from a given moment on; sends its exit code and the lines of its stderr."""
    import contextlib
    import io
    import time

    from index.__main__ import main

    os.environ["PINCITE_HOME"] = str(home)
    errors = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    time.sleep(max(0.0, start - time.time()))
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
        code = main([str(folder)])
    errors.seek(0)
    connection.send((code, errors.read().splitlines()))


def test_five_builds_at_once(place: Place) -> None:
    import time

    shutil.rmtree(place.home, ignore_errors=True)
    pipes = [FORKED.Pipe(duplex=False) for _ in range(5)]
    start = time.time() + 0.5
    children = [FORKED.Process(target=command, args=(sender, place.folder, place.home, start)) for _, sender in pipes]
    for child in children:
        child.start()
    results = [receiver.recv() for receiver, _ in pipes]
    for child in children:
        child.join()
    busy = [lines for code, lines in results if code == 2]
    assert all(code in (0, 2) for code, _ in results)
    assert len(busy) < 5
    assert all(len(lines) == 1 and "is building the archive" in lines[0] for lines in busy)
    assert content(place.folder, place.home) == place.new


# Damaged


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for position in random.Random(4).sample(range(len(data)), min(8, len(data))):
        data[position] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def delete(path: Path) -> None:
    path.unlink()


def extend(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def resync(connection: Connection, folder: Path, home: Path) -> None:
    connection.send(sync(folder, home).embedded)


def parts_of_a_generation(place: Place) -> list[str]:
    """Every file below the home but the lock, with `*` for names that differ from build to build."""
    generation = current(place.folder, place.home)
    inside = [path.relative_to(generation).as_posix() for path in generation.rglob("*") if path.is_file()]
    return ["../CURRENT", *sorted(inside)]


def test_damage_is_mended_without_a_crash(place: Place) -> None:
    """Chroma itself answered wrongly for 7 of 84 such files, and died by SIGSEGV for 7 more."""
    shutil.rmtree(place.home, ignore_errors=True)
    sync(place.folder, place.home)
    intact = place.home.with_name("intact")
    shutil.copytree(place.home, intact)
    files = parts_of_a_generation(place)
    assert {"../CURRENT", "MANIFEST.json", "archive.sqlite", "chroma/chroma.sqlite3"} <= set(files)
    assert len(files) >= 8
    for file, also in zip(files, itertools.cycle([truncate, delete, extend])):
        for damage in (flip, also):
            shutil.rmtree(place.home)
            shutil.copytree(intact, place.home)
            path = current(place.folder, place.home) / file
            before = path.read_bytes()
            damage(path)
            if path.exists() and path.read_bytes() == before:
                continue  # an empty file cannot be cut
            code, sent = run(resync, place.folder, place.home)
            assert code == 0, (file, damage.__name__)
            assert content(place.folder, place.home) == place.new, (file, damage.__name__)
            if file.startswith("chroma/"):
                assert sent == [0], "the vectors were not taken from the database"


def test_generation_of_another_model_or_format_is_built_anew(place: Place) -> None:
    for change in ("model", "format"):
        shutil.rmtree(place.home, ignore_errors=True)
        sync(place.folder, place.home)
        generation = current(place.folder, place.home)
        manifest = json.loads((generation / generations.MANIFEST).read_text())
        if change == "format":
            manifest["format"] = 0
        else:
            import hashlib
            import sqlite3

            with closing(sqlite3.connect(generation / generations.DATABASE)) as database:
                database.execute("UPDATE meta SET value = 'other' WHERE key = 'model'")
                database.commit()
            digest = hashlib.sha256((generation / generations.DATABASE).read_bytes()).hexdigest()
            manifest["sha256"][generations.DATABASE] = digest
        (generation / generations.MANIFEST).write_text(json.dumps(manifest))
        code, sent = run(resync, place.folder, place.home)
        assert code == 0
        assert sent[0] > 0
        assert current(place.folder, place.home) != generation
        assert content(place.folder, place.home) == place.new


# Full and read-only


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", mount], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


@pytest.mark.parametrize("free", [8, 100, 200, 300, 400], ids=lambda free: f"{free} kB free")
def test_full_disk(place: Place, disk: Path, free: int) -> None:
    home = disk / "home"
    shutil.copytree(place.kept, home)
    left = shutil.disk_usage(disk).free
    (disk / "ballast").write_bytes(b"x" * (left - free * 1024))
    with pytest.raises(ArchiveWriteError, match="free space") as raised:
        sync(place.folder, home)
    assert "\n" not in str(raised.value)
    with closing(open_archive(place.folder, home)) as archive:  # the old generation answers while the disk is full
        assert {source.file: archive.text(source.file) for source in archive.sources()} == place.old["texts"]
        assert archive.nearest(next(iter(archive.vectors([1]).values()))[0], 1)[0][0] == 1
    (disk / "ballast").unlink()
    sync(place.folder, home)
    assert content(place.folder, home) == place.new


def limited(connection: Connection, folder: Path, home: Path, size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        sync(folder, home)
    except ArchiveWriteError as error:
        connection.send(str(error))


@pytest.mark.parametrize("size", [1, 50_000, 150_000])
def test_files_cannot_grow(place: Place, size: int) -> None:
    """What a quota does; needs no root."""
    place.reset()
    code, sent = run(limited, place.folder, place.home, size)
    assert code == 0
    assert len(sent) == 1
    assert "cannot be written" in sent[0]
    assert_mended(place, [place.old])


def search_without_temporary_folder(connection: Connection, folder: Path, home: Path) -> None:
    import tempfile

    with closing(open_archive(folder, home)) as archive:
        passage = archive.passages_after(0, 1)[0].id
        query = archive.vectors([passage])[passage][0]
        tempfile.tempdir = None
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        try:
            archive.nearest(query, 1)
        except ArchiveWriteError as error:
            connection.send(str(error))


def test_no_temporary_folder_can_be_written(place: Place) -> None:
    place.reset()
    code, sent = run(search_without_temporary_folder, place.folder, place.home)
    assert code == 0
    assert len(sent) == 1
    assert "No usable temporary directory" in sent[0]
    assert "\n" not in sent[0]


def test_read_only_home(place: Place, disk: Path) -> None:
    home = disk / "home"
    shutil.copytree(place.kept, home)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(ArchiveWriteError, match="Read-only file system"):
        sync(place.folder, home)
    with closing(open_archive(place.folder, home)) as archive:
        assert {source.file: archive.text(source.file) for source in archive.sources()} == place.old["texts"]
        assert archive.nearest(next(iter(archive.vectors([1]).values()))[0], 1)[0][0] == 1
    with pytest.raises(ArchiveWriteError):
        open_archive(place.folder, disk / "other")


def test_home_that_cannot_be_made(place: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArchiveWriteError, match="set PINCITE_HOME"):
        open_archive(place.folder, tmp_path / "file" / "home")


def test_archive_files_are_private(place: Place) -> None:
    place.reset()
    sync(place.folder, place.home)
    home = archive_home(place.folder, place.home)
    assert home.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in home.rglob("*") if path.is_file())
