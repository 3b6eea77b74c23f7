"""Where articles and archives are when the caller names no place.

The environment is an argument because `index` reads none: entry points pass `os.environ`.
"""

from collections.abc import Mapping
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"  # the default articles ship with the package


def default_articles(environment: Mapping[str, str]) -> Path:
    """PINCITE_ARTICLES, else the default articles. An empty value counts as unset."""
    return Path(environment.get("PINCITE_ARTICLES") or CORPUS).expanduser()


def default_home(environment: Mapping[str, str]) -> Path:
    """PINCITE_HOME, else `pincite` in XDG_CACHE_HOME, else ~/.cache/pincite. An empty value counts as unset."""
    if chosen := environment.get("PINCITE_HOME"):
        return Path(chosen).expanduser()
    cache = Path(environment.get("XDG_CACHE_HOME") or "")
    # XDG Base Directory Specification: a relative path is invalid and is ignored
    return (cache if cache.is_absolute() else Path("~/.cache").expanduser()) / "pincite"
