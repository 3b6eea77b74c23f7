"""What is said to a language model, one Markdown file a prompt."""

from functools import cache
from pathlib import Path


@cache
def prompt(name: str) -> str:
    """The text of prompts/NAME.md."""
    return (Path(__file__).parent / f"{name}.md").read_text("utf-8").strip()
