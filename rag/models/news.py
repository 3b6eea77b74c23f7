"""News articles with questions, to fit weights and thresholds without looking at the evaluation questions.

126 articles of `../shared/corpora/basil.jsonl.gz` (42 events, each told by three publishers; research use, not ours to
ship) and `news_dev.jsonl`: questions over all of them together. A row's `evidence` is every sentence of every
article that gives the answer or a part of it, headlines too; of a quotation also the sentence that names its speaker.
A sentence that is not listed does not answer. A yes-no question also accepts that word.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from index.sentences import split

QUESTIONS = Path(__file__).parent / "news_dev.jsonl"
CLAIMS = Path(__file__).parent / "news_claims.jsonl"  # true and altered claims on sentences of any of the 300 articles
EVENTS = frozenset(
    "06ffda2d 0c78e748 11c9f251 1b96a5db 1e41e98b 22b6e900 2742e9c1 2b95d2cf 2ec04201 33521e65 3ae35b16 "
    "450755dd 45bd61bc 472158a1 47a209b0 526cabb7 542cd22c 576116e5 58ed2376 59f2f47c 65cb14cb 6b541575 "
    "6e502405 76810849 79bf99c6 8abec8d9 96b7046f be026bd1 c21cb217 c9e4d35f cad4bba5 ccf19ab6 d1344998 "
    "d16050b3 d4a4bc34 dd1e6e3b df6a55fb e71d149d eadabee7 eb17fa36 f11c2566 f506aafc".split()
)


@dataclass(frozen=True)
class Question:
    """One row. `evidence` holds (file, sentence number from 1), none when no article answers."""

    id: str
    question: str
    type: str
    answers: tuple[str, ...]  # accepted, as they stand in the articles of the evidence
    evidence: tuple[tuple[str, int], ...]
    answerable: bool


def articles(data: Path, folder: Path, every: bool = False) -> None:
    """Write the 126 articles of the corpus file `data`, or every one, as .txt into `folder`: headline; publisher and
    date; text."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(data, "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            if every or row["file"].split("-")[1] in EVENTS:
                (folder / row["file"]).write_text(row["text"], "utf-8", newline="")


def questions(folder: Path) -> list[Question]:
    """All rows of `news_dev.jsonl`. Raises ValueError where a sentence of a file in `folder` is not the one meant."""
    sentences = {path.name: split(path.read_bytes().decode()) for path in folder.glob("basil-*.txt")}
    found = []
    for row in map(json.loads, QUESTIONS.read_text("utf-8").splitlines()):
        evidence = []
        for place in row["evidence"]:
            file, number = place["article"], place["sentence"]
            texts = [sentence.text for sentence in sentences.get(file, ()) if sentence.number == number]
            if [opening(text) for text in texts] != [place["starts"]]:
                there = opening(texts[0]) if texts else "no such sentence"
                raise ValueError(f"{row['id']}: {file} sentence {number} is not “{place['starts']}”: {there}")
            evidence.append((file, number))
        answers, answerable = tuple(row["answers"]), row["answerable"]
        found.append(Question(row["id"], row["question"], row["type"], answers, tuple(evidence), answerable))
    return found


def claims(folder: Path) -> list[tuple[str, str, int, bool]]:
    """(claim, file, number of the sentence that it cites, whether that supports it) of `news_claims.jsonl`.

    Raises ValueError where a sentence of a file in `folder` is not the one meant.
    """
    found = []
    for row in map(json.loads, CLAIMS.read_text("utf-8").splitlines()):
        file, number = row["article"], row["sentence"]
        if opening(split((folder / file).read_bytes().decode())[number - 1].text) != row["starts"]:
            raise ValueError(f"{file} sentence {number} is not “{row['starts']}”: {row['claim']}")
        found.append((row["claim"], file, number, row["supported"]))
    return found


def opening(text: str) -> str:
    """The first five words: enough to tell sentences apart, too few to be a copy of the article."""
    return " ".join(text.split()[:5])
