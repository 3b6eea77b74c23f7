"""Settings from the environment. Argument > environment > default; these are all there are.

`OPENAI_API_KEY` and `OPENAI_BASE_URL` are the OpenAI SDK's own and are read by it.
"""

import os
from pathlib import Path

from index.home import default_home

CORPUS = Path(__file__).parent.parent / "index" / "corpus"  # the default articles ship with the package


def articles_folder(given: str | Path | None = None) -> Path:
    """The folder of articles to ask: the argument, else PINCITE_ARTICLES, else the default articles."""
    return Path(given or os.environ.get("PINCITE_ARTICLES") or CORPUS).expanduser()


def home() -> Path:
    """Where archives are kept: PINCITE_HOME, else the user's cache folder."""
    return default_home(os.environ)
