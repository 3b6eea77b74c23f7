"""Claims of a language model against the sentences that they cite: verdicts and the reasons that a reader is given."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from index.sync import open_archive
from rag.verify import UNSURE, Checked, Grounds, check, grounds

CALL = Grounds(
    "On Thursday, Russian President Vladimir Putin contacted French President Emmanuel Macron, in what looked to be a "
    "far more hostile conversation than prior exchanges between the two leaders.",
    "Putin & Macron speak · 3 March 2022 · HNGN",
    "2022-03-03",
    "",
)
CHAT = Grounds(
    "As per a senior French source, the 90-minute chat did not result in a diplomatic breakthrough, leaving Macron "
    "concerned that “the worst is yet to come”.",
    CALL.heading,
    CALL.date,
    CALL.text,
)
REFUGEES = Grounds(
    "He said over 350 civilians have died and that the United Nations counts more than one million refugees.",
    "Toll · 5 March 2022 · Daily Post",
    "2022-03-05",
    "Ukrainian President Volodymyr Zelensky spoke on Friday. “The war began on 24 February.",
)


@pytest.mark.parametrize(
    ("claim", "cited"),
    [
        ("On 3 March 2022, Putin contacted Macron, in a far more hostile conversation than before.", [CALL]),
        ("Putin contacted Macron on Thursday, and their conversation was more hostile than prior exchanges.", [CALL]),
        ("The 90-minute chat did not result in a diplomatic breakthrough.", [CHAT]),
        ('The ninety-minute chat left Macron concerned that "the worst is yet to come".', [CHAT]),
        ("Zelensky said that more than 350 civilians have died.", [REFUGEES]),
        ("The UN counts over 1,000,000 refugees, according to the Daily Post.", [REFUGEES]),
        (
            "Putin contacted Macron on Thursday, and the 90-minute chat brought no diplomatic breakthrough.",
            [CALL, CHAT],
        ),
    ],
)
def test_what_agrees_is_not_struck(claim: str, cited: list[Grounds]) -> None:
    """How sure the model is of such a claim is for `python -m evals.verdicts` to measure."""
    assert check(claim, cited) in (Checked("supported", None), Checked("partly", UNSURE))


def test_the_very_words_of_the_source_need_no_model() -> None:
    assert check(CHAT.text, [CHAT]) == Checked("supported", None)


@pytest.mark.parametrize(
    ("claim", "cited", "reason"),
    [
        ("More than 400 civilians have died.", [REFUGEES], '"400" is not in the cited sentence'),
        ("The 40-minute chat brought nothing.", [CHAT], '"40-minute" is not in the cited sentence: it says 90-minute'),
        ("The call lasted 90 hours.", [CHAT], '"90 hours" is not in the cited sentence: it says 90-minute'),
        (
            "On 4 March 2022, Putin contacted Macron.",
            [CALL],
            '"4 March 2022" is not in the cited sentence: it says 3 March',
        ),
        ("On Tuesday, Putin contacted Macron.", [CALL], '"Tuesday" is not in the cited sentence: it says Thursday'),
        ("Olaf Scholz was concerned.", [CHAT], '"Olaf Scholz" is not in the cited sentence'),
        ("Putin contacted Olaf Scholz on Thursday.", [CALL, CHAT], '"Olaf Scholz" is not in the cited sentences'),
        ("The WHO counts a million refugees.", [REFUGEES], '"WHO" is not in the cited sentence'),
        ("Macron said “the worst is over”.", [CHAT], '"the worst is over" is not in the cited sentence'),
        ("The chat resulted in a breakthrough.", [CHAT], 'the cited text says "not result", the claim does not'),
        ("Macron contacted Putin on Thursday.", [CALL], "in the cited text it is Putin who does this, not Macron"),
        (
            "One million civilians have died.",
            [REFUGEES],
            'the claim says "One million civilians", the cited text "over 350 civ',
        ),
        ("It was a less hostile conversation.", [CALL], 'the claim says "less", the cited text "more"'),
    ],
)
def test_unsupported_with_the_reason(claim: str, cited: list[Grounds], reason: str) -> None:
    found = check(claim, cited)
    assert found.verdict == "unsupported"
    assert found.reason is not None
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("claim", "cited", "reason"),
    [
        ("The chat of an hour and a half did not result in a diplomatic breakthrough.", CHAT, "says 90-minute"),
        ("On Saturday he said that over 350 civilians have died.", REFUGEES, "5 March 2022 was a Saturday"),
    ],
)
def test_what_was_worked_out_is_said(claim: str, cited: Grounds, reason: str) -> None:
    found = check(claim, [cited])
    assert found.verdict != "unsupported"
    assert found.reason == UNSURE or reason in (found.reason or "")


@pytest.mark.parametrize(
    ("claim", "cited", "reason"),
    [
        ("Macron mag Himbeereis.", [CHAT], '"Himbeereis" is not'),
        ("Das Gespräch von Putin und Macron dauerte 90 Minuten und brachte nichts.", [CHAT], "its numbers agree"),
        ("L'appel de Poutine à Macron le 3 mars 2022 a duré 90 minutes.", [CHAT], "its numbers agree"),
        ("Более миллиона беженцев, 350 погибших.", [REFUGEES], "its numbers agree"),
        ("L'appel de Poutine à Macron a duré 40 minutes.", [CHAT], '"40" is not in the cited sentence'),
        ("Der Anruf von Putin am 4. März dauerte lange und war nicht gut.", [CHAT], '"4" is not in the cited sentence'),
    ],
)
def test_another_language_is_partly_supported_at_best(claim: str, cited: list[Grounds], reason: str) -> None:
    found = check(claim, cited)
    assert found.verdict == ("partly" if "agree" in reason else "unsupported")
    assert reason in (found.reason or "")


def test_a_detail_that_stands_before_the_cited_sentence_leaves_doubt() -> None:
    found = check("The war began on 24 February, and over 350 civilians have died.", [REFUGEES])
    assert found.verdict != "unsupported"
    found = check(
        "The two leaders had 90-minute talks in a hostile tone.", [Grounds("It was hostile.", "", None, CHAT.text)]
    )
    assert found == Checked("partly", '"90-minute" stands before the cited sentence, not in it')
    hall = Grounds("He spoke for an hour.", "", None, "Olaf Scholz came to Berlin and to Bremen.")
    assert check("Scholz spoke for an hour in Bremen.", [hall]) == Checked(
        "partly", '"Bremen" stands before the cited sentence, not in it'
    )


def test_nothing_to_check() -> None:
    assert check("Putin called Macron.", []).verdict == "uncited"
    assert check("", [CALL]) == Checked("unsupported", "there are no words to check")
    assert check("…!? 🙂", [CALL]).verdict == "unsupported"


def test_a_claim_that_has_nothing_to_do_with_its_source_is_not_supported() -> None:
    assert check("Tomatoes grow best in the sun.", [CALL]).verdict != "supported"


PIECES = """A_*5000 a*10000 1_*900 one_hundred_and_*120 "'(*600 A,_*600 not_*480 -*1900 3_to_5_March_*120 9*400 $*1900
last_Thursday_*130 Putin,_aaa_*170 中*1900 ٣²½Ⅻ*400 by_the_A_*200 ﷺ*1000 half_a_*250 29_February_2021*1
99999999_days_ago*1 31_February_0000*1""".replace("\n", " ").split()
PIECES = [text.replace("_", " ") * int(times) for text, times in (piece.split("*") for piece in PIECES)]
PIECES += ["\x00\x1b[31m" * 200, "\u202e\u200b" * 900, "\ud800" * 900]


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: repr(piece[:8]))
def test_hostile_text_neither_raises_nor_takes_long(piece: str) -> None:
    began = time.perf_counter()
    all_of_it, one = Grounds(piece, piece, piece, piece), Grounds(piece + "b", "", "", "")
    for claim, cited in ((piece, CALL), (CALL.text[:60], all_of_it), (piece, one)):
        assert check(claim, [cited]).verdict in ("supported", "partly", "unsupported")
    assert time.perf_counter() - began < 2


def test_a_long_claim_is_not_supported_unread() -> None:
    assert check(CALL.text * 20, [CALL]).verdict == "unsupported"


def test_grounds_of_a_cited_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    text = "One is here. Two is here. Three is here.\nLoad more\nFour is here."
    (folder / "a.txt").write_text(f"A headline\nThe Post 2022-03-03\n\n{text}")
    with closing(open_archive(folder, tmp_path / "home")) as archive:
        numbers = {sentence.text: sentence.number for sentence in archive.sentences("a.txt")}
        found = grounds(archive, "a.txt", numbers["Four is here."])
        assert found == Grounds(
            "Four is here.",
            "A headline · 3 March 2022 · The Post",
            "2022-03-03",
            "One is here. Two is here. Three is here.",
        )
        assert grounds(archive, "a.txt", 1).context == ""
        with pytest.raises(KeyError):
            grounds(archive, "a.txt", 99)
        with pytest.raises(KeyError):
            grounds(archive, "b.txt", 1)
