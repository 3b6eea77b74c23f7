"""Where articles and archives are when the caller names no place.

The environment is an argument because `index` reads none: entry points pass `os.environ`.
"""

from collections.abc import Mapping
from pathlib import Path

from index.errors import FolderError
from index.read import printable

CORPUS = Path(__file__).parent / "corpus"  # the default articles ship with the package
ARTICLES = "folder of .txt and .md articles (default: PINCITE_ARTICLES, else the five shipped)"  # on the command line


def expanded(path: str | Path) -> Path:
    """The absolute path of what a person wrote, `~` and `~user` expanded. Raises FolderError for an unknown user."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise FolderError(f"{printable(str(path))}: no home folder is known for it, write the full path") from error
    except OSError as error:  # the current folder was deleted
        raise FolderError(f"{printable(str(path))} cannot be found ({error.strerror}): write the full path") from error


def default_articles(environment: Mapping[str, str]) -> Path:
    """PINCITE_ARTICLES, else the default articles. An empty value counts as unset."""
    return expanded(environment.get("PINCITE_ARTICLES") or CORPUS)


def default_home(environment: Mapping[str, str]) -> Path:
    """PINCITE_HOME, else `pincite` in XDG_CACHE_HOME, else ~/.cache/pincite. An empty value counts as unset."""
    if chosen := environment.get("PINCITE_HOME"):
        return expanded(chosen)
    cache = Path(environment.get("XDG_CACHE_HOME") or "")
    # XDG Base Directory Specification: a relative path is invalid and is ignored
    return (cache if cache.is_absolute() else expanded("~/.cache")) / "pincite"
