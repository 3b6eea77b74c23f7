"""The archive equals the folder, whatever happened to the folder; only what changed is read and embedded."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from folders import STORIES, content, write
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from index import generations
from index.errors import FolderError
from index.sync import Report, archive_home, open_archive, sync


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three articles, synced once."""
    articles = tmp_path / "articles"
    for name in ("a.txt", "b.txt", "sub/c.txt"):
        write(articles, name, STORIES[name])
    sync(articles, tmp_path / "home")
    return articles


def again(folder: Path) -> Report:
    """Sync, and hold the archive against a clean build of the same folder."""
    report = sync(folder, folder.parent / "home")
    assert_equals_clean_build(folder, folder.parent / "home")
    return report


def assert_equals_clean_build(folder: Path, home: Path) -> None:
    with tempfile.TemporaryDirectory() as clean:
        sync(folder, Path(clean))
        assert content(folder, home) == content(folder, Path(clean))


def changes(report: Report) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.renamed


def test_first_build(tmp_path: Path) -> None:
    write(tmp_path / "articles", "a.txt", STORIES["a.txt"])
    report = sync(tmp_path / "articles", tmp_path / "home")
    assert changes(report) == (1, 0, 0, 0)
    assert report.embedded == report.counts.passages > 0


def test_nothing_changed(folder: Path) -> None:
    before = generations.current(archive_home(folder, folder.parent / "home"))
    report = again(folder)
    assert changes(report) == (0, 0, 0, 0)
    assert report.embedded == 0
    assert generations.current(archive_home(folder, folder.parent / "home")) == before


def test_add(folder: Path) -> None:
    write(folder, "new.txt", "A new article. It is short.")
    report = again(folder)
    assert changes(report) == (1, 0, 0, 0)
    assert report.embedded == 1


def test_change_embeds_only_what_changed(folder: Path) -> None:
    write(folder, "sub/c.txt", STORIES["sub/c.txt"] + "One more sentence.\n")
    report = again(folder)
    assert changes(report) == (0, 1, 0, 0)
    assert report.embedded == 1
    assert report.counts.passages > 4


def test_delete(folder: Path) -> None:
    (folder / "a.txt").unlink()
    assert changes(again(folder)) == (0, 0, 1, 0)
    with closing(open_archive(folder, folder.parent / "home")) as archive, pytest.raises(KeyError):
        archive.text("a.txt")


def test_rename_embeds_nothing(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "z.txt")
    report = again(folder)
    assert changes(report) == (0, 0, 0, 1)
    assert report.embedded == 0


def test_rename_of_case_alone(folder: Path) -> None:
    (folder / "a.txt").rename(folder / "A.txt")
    assert changes(again(folder)) == (0, 0, 0, 1)


def test_one_file_becomes_two_copies_of_it(folder: Path) -> None:
    shutil.copy(folder / "a.txt", folder / "y.txt")
    (folder / "a.txt").rename(folder / "z.txt")
    report = again(folder)
    assert changes(report) == (1, 0, 0, 1)
    assert report.embedded == 0


def test_swapped_names(folder: Path) -> None:
    """Also of files that have the same size and time, as an unpacked archive of files often has."""
    for name in ("a.txt", "b.txt"):
        write(folder, name, f"The article is {name}. It says so.")
        os.utime(folder / name, ns=(10**18, 10**18))
    again(folder)
    (folder / "a.txt").rename(folder / "kept")
    (folder / "b.txt").rename(folder / "a.txt")
    (folder / "kept").rename(folder / "b.txt")
    report = again(folder)
    assert changes(report) == (0, 2, 0, 0)
    assert report.embedded == 0


def test_same_size_and_time_but_other_text(folder: Path) -> None:
    before = (folder / "a.txt").stat()
    write(folder, "a.txt", STORIES["a.txt"].replace("Harbour", "Airport"))
    os.utime(folder / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (folder / "a.txt").stat().st_size == before.st_size
    assert changes(again(folder)) == (0, 1, 0, 0)


def test_touch_changes_nothing(folder: Path) -> None:
    before = generations.current(archive_home(folder, folder.parent / "home"))
    for path in folder.rglob("*.txt"):
        path.touch()
    assert changes(again(folder)) == (0, 0, 0, 0)
    assert generations.current(archive_home(folder, folder.parent / "home")) == before


def opened(script: str, folder: Path) -> list[list[str]]:
    """Names of the files that a process opened, up to each `mark()` of a script about `articles` and `home`."""
    before = """
import json, sys, time
from pathlib import Path
articles, home = Path(sys.argv[1]), Path(sys.argv[1]).parent / "home"
names, marks = [], []
sys.addaudithook(lambda event, a: event == "open" and isinstance(a[0], str | Path) and names.append(str(a[0])))
def mark():
    marks.append(names[:])
    names.clear()
from index.generations import writer_lock
from index.sync import archive_home, open_archive, sync
"""
    command = [sys.executable, "-c", f"{before}\n{script}\nprint(json.dumps(marks))", str(folder)]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return [[Path(name).name for name in names] for names in json.loads(done.stdout)]


def test_files_that_are_new_or_touched_are_read_once_more_and_then_no_more(folder: Path) -> None:
    script = """
time.sleep(2.1)
mark()
for step in range(3):
    sync(articles, home)
    mark()
(articles / "a.txt").touch()
sync(articles, home)
mark()
time.sleep(2.1)
for step in range(2):
    sync(articles, home)
    mark()
"""
    read = [sorted(name for name in names if name.endswith(".txt")) for names in opened(script, folder)[1:]]
    assert read == [["a.txt", "b.txt", "c.txt"], [], [], ["a.txt"], ["a.txt"], []]
    write(folder, "a.txt", STORIES["a.txt"].replace("Harbour", "Airport"))
    (folder / "b.txt").unlink()
    assert changes(again(folder)) == (0, 1, 1, 0)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"a.txt": 5}', '{"a.txt": []}', '{"a.txt": ["x", null]}', "\udcff"])
def test_damaged_stamps_are_no_obstacle(folder: Path, damage: str) -> None:
    stamps = archive_home(folder, folder.parent / "home") / "stamps.json"
    stamps.write_bytes(os.fsencode(damage))
    write(folder, "a.txt", STORIES["a.txt"].replace("Harbour", "Airport"))
    assert changes(again(folder)) == (0, 1, 0, 0)


def test_a_busy_archive_is_verified_once(folder: Path) -> None:
    script = """
with writer_lock(archive_home(articles, home)):
    for step in range(2):
        open_archive(articles, home).close()
        mark()
"""
    first, second = opened(script, folder)
    assert "chroma.sqlite3" in first
    assert "chroma.sqlite3" not in second


def test_metadata_file_added_changed_and_removed(folder: Path) -> None:
    (folder / "articles.toml").write_text('["a.txt"]\ntitle = "Given"\ndate = 2022-03-03\n["gone.txt"]\ntitle = "x"')
    assert changes(again(folder)) == (0, 1, 0, 0)
    with closing(open_archive(folder, folder.parent / "home")) as archive:
        assert archive.sources()[0].metadata.title == "Given"
        assert archive.sources()[0].metadata.date == "2022-03-03"
    (folder / "articles.toml").write_text('["a.txt"]\ntitle = ""')
    assert changes(again(folder)) == (0, 1, 0, 0)
    (folder / "articles.toml").unlink()
    assert changes(again(folder)) == (0, 1, 0, 0)


def test_wrong_metadata_file_leaves_the_archive(folder: Path) -> None:
    before = content(folder, folder.parent / "home")
    (folder / "articles.toml").write_text("[")
    with pytest.raises(FolderError):
        sync(folder, folder.parent / "home")
    assert content(folder, folder.parent / "home") == before


def test_article_that_becomes_unreadable_is_no_longer_in_the_archive(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"\0\1\2")
    report = again(folder)
    assert changes(report) == (0, 0, 1, 0)
    assert [skipped.file for skipped in report.skipped] == ["a.txt"]


def test_emptied_folder_is_an_error_and_never_answered_from(folder: Path) -> None:
    shutil.rmtree(folder)
    with pytest.raises(FolderError, match="does not exist"):
        open_archive(folder, folder.parent / "home")
    folder.mkdir()
    with pytest.raises(FolderError, match="is empty"):
        open_archive(folder, folder.parent / "home")
    (folder / "a.pdf").write_bytes(b"%PDF")
    with pytest.raises(FolderError, match=r"no readable article.*a\.pdf: not a \.txt or \.md file"):
        open_archive(folder, folder.parent / "home")


def test_articles_of_boilerplate_alone(tmp_path: Path) -> None:
    write(tmp_path / "articles", "a.txt", "Share\nLoad more\n")
    with closing(open_archive(tmp_path / "articles", tmp_path / "home")) as archive:
        assert archive.counts.passages == 0
        assert archive.nearest(np.ones(384, np.float32) / 384**0.5, 5) == []


def test_an_open_archive_does_not_see_a_later_sync(folder: Path) -> None:
    home = folder.parent / "home"
    with closing(open_archive(folder, home)) as archive:
        before = archive.text("a.txt"), archive.counts
        for number in range(3):
            write(folder, "a.txt", f"Version {number}. It is new.")
            sync(folder, home)
        assert (archive.text("a.txt"), archive.counts.articles) == (before[0], before[1].articles)


def test_two_folders_of_one_name_have_two_archives(tmp_path: Path) -> None:
    for parent in ("one", "two"):
        write(tmp_path / parent / "articles", "a.txt", f"The article of {parent}.")
        sync(tmp_path / parent / "articles", tmp_path / "home")
    for parent in ("one", "two"):
        with closing(open_archive(tmp_path / parent / "articles", tmp_path / "home")) as archive:
            assert archive.text("a.txt") == f"The article of {parent}."


def test_old_generations_are_dropped(folder: Path) -> None:
    for number in range(4):
        write(folder, "a.txt", f"Version {number}. It is new.")
        sync(folder, folder.parent / "home")
    assert len(list(archive_home(folder, folder.parent / "home").glob("gen-*"))) == 2


def test_four_megabytes_on_one_line(tmp_path: Path) -> None:
    """Indexed whole within seconds, boilerplate or not; a long piece without a space is cut."""
    line = "The mayor of the town spoke for an hour. " * 1_000 + "x" * 3_960_000
    write(tmp_path / "articles", "a.txt", line)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = sync(tmp_path / "articles", tmp_path / "home")
    assert report.counts.sentences > 2_900
    assert report.seconds < 60
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600 * 1024
    )  # KiB; the text once a passage: 1.2 GB


FILES = ["a.txt", "b.txt", "c.md", "sub/a.txt", "sub/Ä b.txt"]
TEXTS = ["Rain fell. It fell hard.", "Rain fell. It fell long.", "Headline\n\nRain fell.", "Nobody came.\n", "Share\n"]
BROKEN = [b"", b"\0\0", b"\xff\xfe\x00"]


class FolderMachine(RuleBasedStateMachine):
    """Any sequence of changes to a folder: after each sync the archive holds exactly the readable files."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.folder, self.home = self.root / "articles", self.root / "home"
        self.folder.mkdir()
        self.expected: dict[str, str] = {}
        self.embeds = True  # whether the last change may embed anything

    @rule(file=st.sampled_from(FILES), text=st.sampled_from(TEXTS))
    def write(self, file: str, text: str) -> None:
        write(self.folder, file, text)
        self.expected[file] = text
        self.embeds = True

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), broken=st.sampled_from(BROKEN))
    def damage(self, data: st.DataObject, broken: bytes) -> None:
        file = data.draw(st.sampled_from(sorted(self.expected)))
        (self.folder / file).write_bytes(broken)
        del self.expected[file]
        self.embeds = False

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from(sorted(self.expected)))
        (self.folder / file).unlink()
        del self.expected[file]
        self.embeds = False

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), to=st.sampled_from(FILES))
    def rename(self, data: st.DataObject, to: str) -> None:
        file = data.draw(st.sampled_from(sorted(self.expected)))
        (self.folder / to).parent.mkdir(exist_ok=True)
        (self.folder / file).replace(self.folder / to)
        self.expected[to] = self.expected.pop(file)
        self.embeds = False

    @precondition(lambda self: len(self.expected) > 1)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        one, two = data.draw(st.permutations(sorted(self.expected)))[:2]
        (self.folder / one).rename(self.folder / "kept")
        (self.folder / two).rename(self.folder / one)
        (self.folder / "kept").rename(self.folder / two)
        self.expected[one], self.expected[two] = self.expected[two], self.expected[one]
        self.embeds = False

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), when=st.sampled_from([0, 10**9, None]))
    def touch(self, data: st.DataObject, when: int | None) -> None:
        file = data.draw(st.sampled_from(sorted(self.expected)))
        os.utime(self.folder / file, times=None if when is None else (when, when))
        self.embeds = False

    @rule(publisher=st.sampled_from(["", "One", "Two"]))
    def give_metadata(self, publisher: str) -> None:
        (self.folder / "articles.toml").write_text(f'["a.txt"]\npublisher = "{publisher}"')
        self.embeds = False  # a publisher is no part of what is embedded

    @invariant()
    def archive_equals_folder(self) -> None:
        if not self.expected:
            with pytest.raises(FolderError):
                sync(self.folder, self.home)
            return
        report = sync(self.folder, self.home)
        assert self.embeds or report.embedded == 0
        assert content(self.folder, self.home)["texts"] == self.expected

    def teardown(self) -> None:
        if self.expected:
            assert_equals_clean_build(self.folder, self.home)
        shutil.rmtree(self.root)


TestFolderMachine = FolderMachine.TestCase
TestFolderMachine.settings = settings(
    max_examples=3,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink a folder takes minutes; the steps are printed
)
