"""Stamps of files that were read again and found unchanged: what spares reading them at every sync.

    home/<name>/stamps.json    {file: [sha256, size, mtime in ns, ctime in ns]}

The database of a generation holds the stamp that a file had when it was indexed, and is never written again. A file
that was indexed right after it was written has none there that can be trusted, one that was touched has another now.
"""

import json
from contextlib import suppress
from pathlib import Path

STAMPS = "stamps.json"

Stamps = dict[str, tuple[str, tuple[int, ...]]]  # file -> sha256, stamp


def read_stamps(home: Path) -> Stamps:
    """The stamps kept; {} where there are none or they are damaged."""
    try:
        kept = json.loads((home / STAMPS).read_text("utf-8"))
        return {file: (sha256, tuple(stamp)) for file, (sha256, *stamp) in kept.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_stamps(home: Path, stamps: Stamps) -> None:
    """Keep these stamps alone. Where the disk does not take them, files are read once more, and nothing else."""
    new = home / f"{STAMPS}.new"
    with suppress(OSError):
        new.write_text(json.dumps({file: (sha256, *stamp) for file, (sha256, stamp) in stamps.items()}), "utf-8")
        new.chmod(0o600)
        new.replace(home / STAMPS)
