"""Where archives are kept when the caller names no place."""

from collections.abc import Mapping
from pathlib import Path


def default_home(environment: Mapping[str, str]) -> Path:
    """PINCITE_HOME, else `pincite` in XDG_CACHE_HOME, else ~/.cache/pincite. An empty value counts as unset.

    The environment is an argument because `index` reads none: entry points pass `os.environ`.
    """
    if chosen := environment.get("PINCITE_HOME"):
        return Path(chosen).expanduser()
    cache = Path(environment.get("XDG_CACHE_HOME") or "")
    # XDG Base Directory Specification: a relative path is invalid and is ignored
    return (cache if cache.is_absolute() else Path("~/.cache").expanduser()) / "pincite"
