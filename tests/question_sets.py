"""A small folder of articles with reference questions about it, for the tests of the evaluation."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TEXTS = {
    "bridge.txt": "Bridge over the Lune closed\nThe bridge at Halton was closed on Monday after engineers found "
    "cracks. Repairs will cost 2.4 million pounds. Mayor Ellen Brook said that it would open again in May.\n",
    "old/school.md": "School wins prize\nPupils of Hornby school won the county science prize for a robot that sorts "
    "plastic. Their teacher, Omar Reid, called it a triumph of patience.\n",
    "windows.txt": "Ferry strike ends\nFerry crews went back to work on Friday. The strike had lasted eleven days. "
    "“We have won,” said union leader Marta Lind.\n",
}
ENCODINGS = {"windows.txt": "cp1252"}
ROWS: list[dict[str, Any]] = [
    {
        "id": "t1", "question": "Why was the bridge at Halton closed?", "type": "fact", "answers": ["cracks"],
        "evidence": [{"text": "engineers found cracks.", "files": ["bridge.txt"]}], "answerable": True,
    },
    {
        "id": "t2", "question": "What will it cost to repair it?", "type": "follow-up",
        "answers": ["2.4 million pounds"],
        "evidence": [{"text": "Repairs will cost 2.4 million pounds.", "files": ["bridge.txt"]}], "answerable": True,
        "history": [{"question": "Which bridge was closed?", "answer": "The bridge at Halton."}],
    },
    {
        "id": "t3", "question": "What does the robot of Hornby school do?", "type": "fact",
        "answers": ["sorts plastic"],
        "evidence": [{"text": "a robot that sorts plastic.", "files": ["old/school.md"]}], "answerable": True,
    },
    {
        "id": "t4", "question": "How long did the strike of the ferry crews last?", "type": "number",
        "answers": ["eleven days"], "answerable": True,
        "evidence": [{"text": "The strike had lasted eleven days.", "files": ["windows.txt"]}],
    },
    {
        "id": "t5", "question": "Who won the chess championship in Reykjavik?", "type": "unanswerable", "answers": [],
        "evidence": [], "answerable": False,
    },
]  # fmt: skip


def articles(place: Path) -> Path:
    """Write the articles into `place`/articles."""
    folder = place / "articles"
    for file, text in TEXTS.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(ENCODINGS.get(file, "utf-8")))
    return folder


def write(folder: Path, rows: Iterable[Any]) -> Path:
    """Write questions beside the folder; a row that is text is written as it is."""
    file = folder.parent / "questions.jsonl"
    file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return file
