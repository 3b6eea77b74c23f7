"""The shape of the code: which package may import which, where outside packages are used, how long things may be."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "index": set(),
    "prompts": set(),
    "rag": {"index", "prompts"},
    "ui": {"rag", "index", "prompts"},
    "evals": {"rag", "index", "prompts"},
}
# Each in as few places as possible. The compared pipeline runs in an environment of its own.
HEAVY = {
    "chromadb": {"index/vectors.py"},
    "llama_index": {"index/vectors.py"},
    "onnxruntime": {"index/embed.py"},
    "tokenizers": {"index/embed.py"},
    "openai": {"rag/llm.py"},
    "gradio": {"ui/app.py"},
    "torch": set(),
    "onnx": set(),
    "transformers": set(),
}
PEER = "evals/peer.py"
FILES = sorted(path.relative_to(ROOT).as_posix() for package in ALLOWED for path in (ROOT / package).glob("*.py"))
EVERY_FILE = sorted(path.relative_to(ROOT).as_posix() for package in ALLOWED for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE = 250
LONGEST_FUNCTION = 40


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"), file)


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes below a node but those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from executed(child)


def imports(file: str) -> Iterator[str]:
    """Dotted names that a file imports, at its top or in a function."""
    for node in executed(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_file(name: str) -> str | None:
    """The file of ours that a dotted name stands for: a module, or a name in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for file in ("/".join(parts[:length]) + ".py", "/".join(parts[:length]) + "/__init__.py"):
            if file in FILES:
                return file
    return None


def test_there_is_something_to_check() -> None:
    assert {"index/sync.py", "rag/ask.py", "ui/app.py", "evals/metrics.py"} <= set(FILES)
    assert module_file("index.sync.open_archive") == "index/sync.py"
    assert module_file("index.PinciteError") == "index/__init__.py"
    assert module_file("os.path") is None
    assert "index.archive.Archive" in set(imports("index/sync.py"))


@pytest.mark.parametrize("file", FILES)
def test_dependencies_point_one_way(file: str) -> None:
    package = file.split("/")[0]
    others = {name.split(".")[0] for name in imports(file)} & ALLOWED.keys() - {package}
    assert others <= ALLOWED[package]


@pytest.mark.parametrize("file", [file for file in FILES if file != PEER])
def test_outside_packages_are_imported_in_one_place(file: str) -> None:
    used = {name.split(".")[0] for name in imports(file)} & HEAVY.keys()
    assert used == {name for name in used if file in HEAVY[name]}


def test_no_cycle() -> None:
    graph = {
        file: {found for name in imports(file) if (found := module_file(name)) not in (None, file)} for file in FILES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("index/") and "__main__" not in file])
def test_index_reads_no_environment(file: str) -> None:
    names = {node.attr for node in ast.walk(tree(file)) if isinstance(node, ast.Attribute)}
    names |= {name.split(".")[-1] for name in imports(file)}
    assert not names & {"environ", "environb", "getenv", "getenvb"}


@pytest.mark.parametrize("file", EVERY_FILE)
def test_length(file: str) -> None:
    assert len((ROOT / file).read_text("utf-8").splitlines()) <= LONGEST_FILE
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= LONGEST_FUNCTION, node.name


def loaded_by(code: str) -> set[str]:
    """Heavy packages that are loaded after some code ran in a fresh process."""
    code += f"\nimport sys; print(*(sys.modules.keys() & {set(HEAVY)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_library_loads_nothing_heavy() -> None:
    assert loaded_by("import rag; rag.ask") == set()


def test_an_archive_that_is_up_to_date_opens_without_anything_heavy(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "a.txt").write_text("An article. It is short.")
    code = "from pathlib import Path; from index.sync import open_archive; " + (
        f"open_archive(Path({str(tmp_path / 'articles')!r}), Path({str(tmp_path / 'home')!r})).sources()"
    )
    assert {"chromadb", "llama_index", "onnxruntime", "tokenizers"} <= loaded_by(code)
    assert loaded_by(code) == set()
