"""The labelled claims, as they ship, and the command that scores the verdicts on them."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evals.cases import Articles
from evals.claims import WAYS, Labelled
from evals.verdicts import CLAIMS, Outcome, main, score
from index.home import CORPUS
from rag.models.claims import held_back
from rag.verify import Checked, Grounds

ROWS: list[dict[str, Any]] = [json.loads(line) for line in CLAIMS.read_text("utf-8").splitlines()]
TRUE = {row["id"]: row for row in ROWS if row["supported"]}
FALSE = [row for row in ROWS if not row["supported"]]


def sources(row: dict[str, Any]) -> set[tuple[str, int]]:
    return {(cited["file"], cited["sentence"]) for cited in row["cited"]}


def quoted(row: dict[str, Any]) -> list[str]:
    return [words.rstrip(".,").lower() for words in re.findall(r'"([^"]+)"', row["claim"])]


def evidence(row: dict[str, Any]) -> str:
    return " ".join(cited["text"] for cited in row["cited"]).lower()


# ── the claims ──


def test_there_are_enough_claims_of_every_kind() -> None:
    ways = Counter(row["altered"] for row in FALSE)
    assert len(TRUE) >= 130
    assert len(FALSE) >= 200
    assert set(ways) == set(WAYS)
    assert min(ways[way] for way in ("number", "name", "date", "negation", "source")) >= 30
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert {cited["file"] for row in TRUE.values() for cited in row["cited"]} == {
        path.name for path in CORPUS.glob("*.txt")
    }


def test_every_cited_text_is_that_sentence_of_the_file_on_disk_and_no_boilerplate() -> None:
    articles = Articles(CORPUS)
    for row in ROWS:
        for cited in row["cited"]:
            sentence = articles.sentences(cited["file"])[cited["sentence"] - 1]
            assert (sentence.number, sentence.text) == (cited["sentence"], cited["text"]), row["id"]
            assert not sentence.boilerplate, row["id"]


def test_a_false_claim_differs_from_its_true_one_in_one_way() -> None:
    for row in FALSE:
        true = TRUE[row["id"].split("-")[0]]
        if row["altered"] == "source":
            assert row["claim"] == true["claim"]
            assert not sources(row) & sources(true), row["id"]
        else:
            assert row["claim"] != true["claim"], row["id"]
            assert sources(row) == sources(true), row["id"]


def test_no_claim_stands_twice_on_the_same_sentences() -> None:
    assert max(Counter((row["claim"], frozenset(sources(row))) for row in ROWS).values()) == 1


def test_quoted_words_stand_in_the_sentences_of_true_claims_and_not_of_altered_quotes() -> None:
    for row in TRUE.values():
        assert all(words in evidence(row) for words in quoted(row)), row["id"]
    for row in FALSE:
        if row["altered"] == "quote":
            assert any(words not in evidence(row) for words in quoted(row)), row["id"]


# ── the arithmetic ──


def outcome(supported: bool, verdict: Any, altered: str | None = None) -> Outcome:
    return Outcome(Labelled("x", "It rained.", (), supported, altered), Checked(verdict, None))


def test_scores_of_made_up_outcomes() -> None:
    told = [
        *[outcome(True, "supported")] * 3,
        outcome(True, "partly"),
        outcome(False, "supported", "name"),
        outcome(False, "partly", "name"),
        outcome(False, "unsupported", "date"),
        *[outcome(False, "uncited", "date")] * 2,
    ]
    scores = score(told)
    assert scores.precision is not None
    assert (scores.precision.value, scores.precision.n) == (0.75, 4)
    assert (scores.recall.value, scores.recall.n) == (0.75, 4)
    assert (scores.rejection.value, scores.rejection.n) == (0.8, 5)
    assert {way: (rate.value, rate.n) for way, rate in scores.ways.items()} == {"name": (0.5, 2), "date": (1.0, 3)}
    assert scores.balanced == pytest.approx(0.775)
    # Wilson: 3 of 4 is 0.3006 to 0.9544, 4 of 5 is 0.3755 to 0.9638
    assert scores.interval == pytest.approx((0.4659, 0.9059), abs=0.0002)


def test_precision_is_unknown_when_nothing_is_called_supported() -> None:
    assert score([outcome(True, "unsupported"), outcome(False, "partly")]).precision is None


def test_true_and_false_claims_are_needed() -> None:
    with pytest.raises(ValueError, match="are needed"):
        score([outcome(True, "supported")])


# ── the command ──


def knowing(claim: str, cited: Sequence[Grounds]) -> Checked:
    """A verifier that knows the labels, but finds every claim on Medinsky unsupported."""
    texts = [ground.text for ground in cited]
    row = next(row for row in ROWS if row["claim"] == claim and [one["text"] for one in row["cited"]] == texts)
    known = row["supported"] and "Medinsky" not in claim
    return Checked("supported" if known else "unsupported", None if known else "it is known")


def test_the_command_scores_a_verifier(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    file = tmp_path / "new" / "numbers.json"
    assert main(["--json", str(file), "--verbose"], knowing) == 0
    missed = [row for row in TRUE.values() if "Medinsky" in row["claim"]]
    content = json.loads(file.read_text("utf-8"))["claims"]
    assert content["precision"]["value"] == content["rejection"]["value"] == 1
    assert content["recall"]["value"] == pytest.approx(1 - len(missed) / len(TRUE))
    assert len(content["rows"]) == len(ROWS)
    printed = capsys.readouterr().out
    assert f"claims: {len(TRUE)} supported claims, {len(FALSE)} others" in printed
    assert f"verdicts on the others: {len(FALSE)} unsupported" in printed
    assert re.findall(r"(v\d+) \(supported\) is unsupported: it is known", printed) == [row["id"] for row in missed]


def test_a_cited_sentence_comes_with_its_article(home: Path) -> None:  # noqa: ARG001
    seen: dict[str, Grounds] = {}

    def judge(claim: str, cited: Sequence[Grounds]) -> Checked:
        seen[claim] = cited[0]
        return Checked("partly", None)

    assert main([], judge) == 0
    grounds = seen["The Latin Times reports that no deals have been made yet."]
    assert grounds.date == "2022-03-03"
    assert "Latin Times" in grounds.heading
    assert grounds.context.endswith("so that they can evacuate them out of the war zones.")


def fever(place: Path) -> Path:
    """Two claims on a held-back page and one on a page of the training."""
    rows = []
    for label in ("SUPPORTS", "REFUTES", "SUPPORTS"):
        second = "It -LRB- built in 1856 -RRB- crosses the Lune ."
        passages = (f"Halton {number} is a bridge .\n{second}" for number in range(99))
        passage = next(passage for passage in passages if held_back(passage) is (len(rows) < 2))
        rows.append({"claim": "It spans a river.", "label": label, "evidence": [second], "passage": passage})
    file = place / "fever.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return file


def test_fever_is_scored_on_the_pages_that_were_held_back(home: Path, tmp_path: Path) -> None:  # noqa: ARG001
    seen: list[Sequence[Grounds]] = []

    def judge(claim: str, cited: Sequence[Grounds]) -> Checked:
        if claim == "It spans a river.":
            seen.append(cited)
        return Checked("supported", None)

    assert main(["--fever", str(fever(tmp_path)), "--json", str(tmp_path / "out.json")], judge) == 0
    assert len(seen) == 2
    (ground,) = seen[0]
    assert ground.text == "It ( built in 1856 ) crosses the Lune ."
    assert ground.heading.startswith("Halton")
    assert ground.context == f"{ground.heading} is a bridge ."
    scored = json.loads((tmp_path / "out.json").read_text("utf-8"))["fever"]
    assert scored["balanced"] == 0.5
    assert scored["precision"] == {"value": 0.5, "n": 2}


GOOD = next(iter(TRUE.values()))


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "not JSON"),
        ([], "a row needs"),
        (GOOD | {"claim": " "}, "a row needs"),
        (GOOD | {"cited": []}, "a row needs"),
        (GOOD | {"supported": "yes"}, "a row needs"),
        (GOOD | {"altered": "name"}, '"altered" must be null'),
        (GOOD | {"supported": False}, '"altered" must be null'),
        (GOOD | {"supported": False, "altered": "colour"}, '"altered" must be null'),
        (GOOD | {"cited": ["1"]}, 'each "cited"'),
        (GOOD | {"cited": [GOOD["cited"][0] | {"sentence": 99}]}, "has no sentence 99"),
        (GOOD | {"cited": [GOOD["cited"][0] | {"file": "gone.txt"}]}, "gone.txt has no sentence"),
        (GOOD | {"cited": [GOOD["cited"][0] | {"text": "It rained."}]}, "is another text"),
        (FALSE[0], "stands in an earlier row"),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_line(
    home: Path,  # noqa: ARG001
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    row: Any,
    says: str,
) -> None:
    file = tmp_path / "claims.jsonl"
    last = row if isinstance(row, str) else json.dumps(row)
    file.write_text(f"{json.dumps(FALSE[0])}\n\n{last}\n", "utf-8")
    assert main(["--claims", str(file)], knowing) == 2
    line = capsys.readouterr().err
    assert "claims.jsonl, line 3: " in line
    assert says in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--claims", "gone.jsonl"], "gone.jsonl cannot be read"),
        (["--claims", "empty.jsonl"], "must hold claims"),
        (["--claims", "true.jsonl"], "must hold claims"),
        (["--claims", "latin.jsonl"], "latin.jsonl is not UTF-8"),
        (["--fever", "latin.jsonl.gz"], "latin.jsonl.gz cannot be read"),
        (["--fever", "true.jsonl"], "true.jsonl, line 1: not a row of FEVER"),
        (["--json", "."], "cannot be written"),
    ],
)
def test_what_can_be_mended_is_one_line_and_exit_code_2(
    home: Path,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.jsonl").write_text("\n", "utf-8")
    Path("true.jsonl").write_text(json.dumps(GOOD), "utf-8")
    for name in ("latin.jsonl", "latin.jsonl.gz"):
        Path(name).write_bytes(b'{"id": "caf\xe9"}\n')
    assert main(arguments, knowing) == 2
    line = capsys.readouterr().err
    assert says in line.splitlines()[-1]
    assert "Traceback" not in line
