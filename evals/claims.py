"""claims.jsonl and FEVER's claims -> labelled claims with the sentences that they cite.

A row that is wrong is never skipped: the score of a set must not depend on which rows could be read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.cases import CaseError, json_lines
from index.archive import Archive
from index.read import printable
from rag.verify import Grounds, grounds

# How a false claim was made from a true one. "source": other sentences cited; "quote": other words in quotation marks;
# "invented": something added that the sentences do not hold; "date": also times and their order.
WAYS = ("number", "name", "date", "negation", "source", "quote", "invented")


@dataclass(frozen=True)
class Labelled:
    """A claim, what it cites, and whether the cited sentences support it. `altered` is one of WAYS in a false one."""

    id: str
    claim: str
    cited: tuple[Grounds, ...]
    supported: bool
    altered: str | None = None


def load(file: Path, archive: Archive) -> tuple[Labelled, ...]:
    """The claims of a file. Raises CaseError, which names file and line, for any row that is wrong."""
    rows: dict[str, Labelled] = {}
    for number, value in json_lines(file):
        try:
            row = _labelled(value, archive)
            if row.id in rows:
                raise CaseError(f'the id "{row.id}" stands in an earlier row too')
        except CaseError as error:
            raise CaseError(f"{printable(str(file))}, line {number}: {error}") from None
        rows[row.id] = row
    return _both(file, rows.values())


def load_fever(file: Path) -> tuple[Labelled, ...]:
    """FEVER's claims about the pages that were held back from training. Raises CaseError."""
    from rag.models.claims import held_back, page_title, readable  # not installed: the training's own, in a checkout

    rows = []
    for number, value in json_lines(file):
        match value:
            case {"claim": str(claim), "label": "SUPPORTS" | "REFUTES" as label, "evidence": list(evidence),
                  "passage": str(passage)}:  # fmt: skip
                sentences = passage.split("\n")
            case _:
                raise CaseError(f"{printable(str(file))}, line {number}: not a row of FEVER's claims")
        title, plain = page_title(passage), [readable(sentence) for sentence in sentences]
        cited = tuple(
            Grounds(plain[place], title, None, " ".join(plain[:place]))
            for place, sentence in enumerate(sentences)
            if sentence in evidence
        )
        if cited and held_back(passage):
            rows.append(Labelled(f"line {number}", claim, cited, label == "SUPPORTS"))
    return _both(file, rows)


def _labelled(value: Any, archive: Archive) -> Labelled:
    match value:
        case {"id": str(name), "claim": str(claim), "cited": [_, *_] as cited, "supported": bool(supported),
              "altered": altered} if name.strip() and claim.strip():  # fmt: skip
            if altered not in ((None,) if supported else WAYS):
                raise CaseError(f'"altered" must be null in a supported claim, else one of {", ".join(WAYS)}')
            return Labelled(name, claim, tuple(_cited(item, archive) for item in cited), supported, altered)
    raise CaseError('a row needs "id", "claim", "cited" (not empty), "supported" (true or false) and "altered"')


def _cited(item: Any, archive: Archive) -> Grounds:
    match item:
        case {"file": str(file), "sentence": int(sentence), "text": str(text)}:
            pass
        case _:
            raise CaseError('each "cited" must be an object with "file", "sentence" (a number) and "text"')
    try:
        found = grounds(archive, file, sentence)
    except KeyError:
        raise CaseError(f"{printable(file)} has no sentence {sentence}") from None
    if found.text != text:
        raise CaseError(f"sentence {sentence} of {printable(file)} is another text")
    return found


def _both(file: Path, rows: Iterable[Labelled]) -> tuple[Labelled, ...]:
    if {row.supported for row in rows} != {True, False}:
        raise CaseError(f"{printable(str(file))} must hold claims that are supported and claims that are not")
    return tuple(rows)
