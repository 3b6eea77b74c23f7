"""Answers across articles: what agrees is one claim, what differs has sides, another event is neither, and digests.

On the default articles, and on small folders with planted contradictions; most of those that look like one are none.
"""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from index.home import CORPUS
from rag import ask
from rag.types import Answer, Side

MARCH = "3 March 2022"


@pytest.fixture
def folder(home: Path) -> Path:
    return home.parent / "articles"


def about(question: str, folder: Path, *articles: tuple[str, str, str]) -> Answer:
    """The answer from articles (headline, date or "", text), called a.txt, b.txt and so on."""
    folder.mkdir()
    for letter, (headline, date, text) in zip("abcdef", articles, strict=False):
        (folder / f"{letter}.txt").write_text("\n".join((headline, date, "", text, "")), "utf-8")
    answer = ask(question, folder, model="quotes")
    used = {number for part in (*answer.claims, *sides_of(answer)) for number in part.citations}
    assert used == {citation.number for citation in answer.citations}
    return answer


def sides_of(answer: Answer) -> list[Side]:
    return [side for found in answer.disagreements for side in found.sides]


def files(answer: Answer, numbers: tuple[int, ...]) -> set[str]:
    return {citation.file for citation in answer.citations if citation.number in numbers}


def said(answer: Answer) -> dict[str, set[str]]:
    """What each side says, and in which files."""
    return {side.says: files(answer, side.citations) for side in sides_of(answer)}


# ── planted: what differs ──

ARRESTS = (
    "Police in Northport arrested {} at the march against the new port on Saturday, officers said. Shops stayed shut."
)
CLASHES = (
    "The march against the new port in Northport ended in clashes. Officers arrested {} on Saturday. It is calm now."
)
QUIET = "The docks were quiet on Sunday. {} were arrested in Northport on Saturday, the day of the march. It rained."
HOW_MANY = "How many protesters were arrested in Northport?"


def test_another_number_is_a_disagreement_with_both_sides_cited(folder: Path) -> None:
    answer = about(
        HOW_MANY,
        folder,
        ("Arrests", "4 June 2022", ARRESTS.format("40 protesters")),
        ("March ends", "5 June 2022", CLASHES.format("65 protesters")),
    )
    assert said(answer) == {"40 protesters": {"a.txt"}, "65 protesters": {"b.txt"}}
    for side in sides_of(answer):
        assert side.says in answer.citations[side.citations[0] - 1].text
    assert {citation.date for citation in answer.citations} >= {"2022-06-04", "2022-06-05"}


def test_two_articles_against_one(folder: Path) -> None:
    answer = about(
        HOW_MANY,
        folder,
        ("Arrests", "4 June 2022", ARRESTS.format("40 protesters")),
        ("March ends", "5 June 2022", CLASHES.format("65 protesters")),
        ("Docks", "5 June 2022", QUIET.format("Forty protesters")),
    )
    assert {frozenset(found) for found in said(answer).values()} == {
        frozenset({"a.txt", "c.txt"}),
        frozenset({"b.txt"}),
    }


WON = "Ann Poole won the election for mayor of Northport with a margin of 300 votes. Turnout was high."
STRIKE = "The strike at the Eastwick shipyard lasted {}. Workers went back to the docks."
BRIDGE = "The new bridge in Eastwick will open on {}, the council said. It is 300 metres long."


@pytest.mark.parametrize(
    ("question", "one", "other", "says"),
    [
        ("How long did the strike at the shipyard last?", STRIKE.format("90 minutes"),
         STRIKE.format("three hours, the union said"), {"90 minutes", "three hours"}),
        ("Who won the election for mayor of Northport?", WON,
         "Carl Jensen won the election for mayor of Northport on Sunday. He promised to repair the harbour.",
         {"Ann Poole", "Carl Jensen"}),
        ("When will the new bridge in Eastwick open?", BRIDGE.format("14 June"), BRIDGE.format("21 June"),
         {"14 June", "21 June"}),
        ("Did the mayor of Northport resign?", "The mayor of Northport resigned on Monday. A new one will be chosen.",
         "The mayor of Northport did not resign on Monday. The council meets in June.",
         {"mayor of Northport resigned", "mayor of Northport did not resign"}),
        ("How much does the new ferry cost?", "The new ferry of Eastwick costs 12 million pounds. It will carry cars.",
         "The new ferry of Eastwick costs £15 million. It will carry lorries.", {"12 million pounds", "£15 million"}),
        ("How many people marched in Northport?",
         "Police chief Mark Hale said 4,000 people marched in Northport on Sunday. It stayed calm.",
         "According to organiser Eva Brandt, 9,000 people marched in Northport on Sunday.",
         {"4,000 people", "9,000 people"}),
    ],
)  # fmt: skip
def test_another_length_name_date_or_word_is_a_disagreement(
    question: str, one: str, other: str, says: set[str], folder: Path
) -> None:
    answer = about(question, folder, ("One", "9 May 2022", one), ("Other", "9 May 2022", other))
    assert set(said(answer)) == says
    assert answer.short_answer is None
    assert len(answer.disagreements) == 1


def test_a_headline_that_its_text_does_not_bear_out(folder: Path) -> None:
    text = "Carl Jensen spoke. “The harbour will close in June,” Jensen said at the docks. Ann Poole kept silent."
    answer = about("Who said the harbour will close?", folder, ("Poole vows 'harbour will close'", "9 May 2022", text))
    assert list(said(answer)) == ["Poole", "Jensen"]


# ── planted: what looks as if it differed, and does not ──


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (HOW_MANY, ARRESTS.format("40 protesters"), CLASHES.format("about forty protesters")),
        (HOW_MANY, ARRESTS.format("more than 40 protesters"), CLASHES.format("46 protesters")),
        ("How long did the strike at the shipyard last?", STRIKE.format("90 minutes"),
         STRIKE.format("one and a half hours, the union said")),
        ("Who won the election for mayor of Northport?", WON,
         "Mayor Poole won the election for mayor of Northport on Sunday. She promised to repair the harbour."),
        ("When will the new bridge in Eastwick open?", BRIDGE.format("14 June"), BRIDGE.format("June 14th")),
        ("When was the old bridge in Eastwick closed?",
         "The old bridge in Eastwick was closed on Saturday after cracks were found. Engineers are at work.",
         "The old bridge in Eastwick was closed on 7 May after cracks were found. Ferries are full."),
    ],
)  # fmt: skip
def test_the_same_written_otherwise_is_one_claim_of_two_articles(
    question: str, one: str, other: str, folder: Path
) -> None:
    answer = about(question, folder, ("One", "9 May 2022", one), ("Other", "9 May 2022", other))
    assert answer.disagreements == ()
    assert files(answer, answer.claims[0].citations) == {"a.txt", "b.txt"}


@pytest.mark.parametrize(
    ("question", "one", "other", "dates"),
    [
        pytest.param(
            HOW_MANY, ARRESTS.format("40 protesters"), CLASHES.format("65 protesters"), ("4 June 2022", "25 June 2022"),
            id="another month",
        ),
        pytest.param(
            HOW_MANY, ARRESTS.format("40 protesters"), CLASHES.format("65 protesters").replace("Saturday", "Sunday"),
            ("5 June 2022", "5 June 2022"), id="another day",
        ),
        pytest.param(
            "How many protesters were arrested at the march against the new port?", ARRESTS.format("40 protesters"),
            ARRESTS.format("65 protesters").replace("Northport", "Southport"), ("4 June 2022", "4 June 2022"),
            id="another town",
        ),
        pytest.param(
            "How many people were hurt in the fire at the mill?",
            "A fire at the mill of Eastwick injured 12 people on Friday night. Firefighters fought it until morning.",
            "The fire at the mill of Eastwick killed 3 people on Friday night. The mill is old.",
            ("4 June 2022", "4 June 2022"), id="another thing counted",
        ),
        pytest.param(
            HOW_MANY, ARRESTS.format("40 protesters") + " Officers had first spoken of 65 protesters arrested there.",
            CLASHES.format("65 protesters"), ("5 June 2022", "5 June 2022"), id="corrected in one",
        ),
        pytest.param(
            "How long did the talks last?", "The first round of talks in Geneva lasted three hours. Coffee was served.",
            "The second round of talks in Geneva lasted five hours. Tea was served.", ("9 May 2022", "9 May 2022"),
            id="another round",
        ),
        pytest.param(
            "How long did the two presidents speak?", "The two presidents spoke for forty minutes on Friday.",
            "The two presidents spoke for ninety minutes on Thursday. It rained.", ("", ""), id="undated articles",
        ),
        pytest.param(
            "How much did the new ferry cost?", "The new ferry of Eastwick cost £12 million. It carries cars.",
            "The engine of the new ferry of Eastwick cost £2 million. It came from Kiel.", ("9 May 2022", "9 May 2022"),
            id="a part",
        ),
        pytest.param(
            "How many houses will be built in Eastwick?", "The council will build 200 houses in Eastwick. It is time.",
            "Under an earlier plan the council would have built 500 houses in Eastwick. It was dropped.",
            ("9 May 2022", "9 May 2022"), id="a plan",
        ),
        pytest.param(
            "How many visitors came to the museum of Eastwick?", "The museum of Eastwick had 40,000 visitors in 2021.",
            "The museum of Eastwick had 90,000 visitors in 2019. A new wing opens.", ("9 May 2022", "9 May 2022"),
            id="another year",
        ),
        pytest.param(
            "Who is the mayor of Northport?", "Ann Poole is the mayor of Northport. She sails.",
            "Carl Jensen is the deputy mayor of Northport. He fishes.", ("9 May 2022", "9 May 2022"), id="a deputy",
        ),
        pytest.param(
            "Who attended the opening of the harbour?", "Ann Poole attended the opening of the harbour of Northport.",
            "Carl Jensen attended the opening of the harbour of Northport. It rained.", ("9 May 2022", "9 May 2022"),
            id="several may be right",
        ),
        pytest.param(
            "How many votes did Ann Poole win?", "Ann Poole won 5,200 votes in the election in Northport. She is glad.",
            "Carl Jensen won 4,900 votes in the election in Northport.", ("9 May 2022", "9 May 2022"),
            id="another person",
        ),
        pytest.param(
            "Who said the harbour will close?", "“The harbour will close in June,” Ann Poole said at the docks.",
            "The mayor has spoken. “The harbour will close in June,” Ann Poole said.", ("9 May 2022", "9 May 2022"),
            id="one speaker",
        ),
    ],
)  # fmt: skip
def test_what_is_no_disagreement(question: str, one: str, other: str, dates: tuple[str, str], folder: Path) -> None:
    answer = about(question, folder, ("One", dates[0], one), ("Other", dates[1], other))
    assert answer.status == "answered"
    assert answer.disagreements == ()


def test_an_article_that_corrects_itself_does_not_disagree(folder: Path) -> None:
    text = ARRESTS.format("40 protesters") + " Officers had first spoken of 65 protesters arrested at the march."
    assert about(HOW_MANY, folder, ("Arrests", "4 June 2022", text)).disagreements == ()


# ── yes and no ──


@pytest.mark.parametrize(
    ("question", "text", "short"),
    [
        ("Did the mayor of Northport resign?", "The mayor of Northport resigned on Monday.", "Yes"),
        ("Did the mayor of Northport resign?", "The mayor of Northport did not resign on Monday.", "No"),
        ("Did the mayor of Northport resign?", "The deputy mayor of Northport resigned on Monday.", None),
        ("Did the mayor of Northport resign?", "Sailors said the mayor of Northport resigned on Monday.", None),
        ("Did the mayor of Northport resign?", "The mayor of Northport may resign if the harbour closes.", None),
        ("Did Ann Poole call Carl Jensen?", "Carl Jensen called Ann Poole on Monday.", None),
        ("Did Ann Poole call Carl Jensen?", "Ann Poole called Carl Jensen on Monday.", "Yes"),
        ("Is the bridge in Eastwick open?", "The bridge in Eastwick is open to cyclists only.", None),
    ],
)
def test_yes_and_no_are_said_only_where_the_sentence_says_so(
    question: str, text: str, short: str | None, folder: Path
) -> None:
    answer = about(question, folder, ("News", "9 May 2022", f"{text} It rained all day."))
    assert answer.short_answer == short
    assert text in answer.text or answer.status == "not_in_articles"


# ── the default articles ──


@pytest.mark.usefixtures("home")
def test_the_length_of_the_call_is_one_claim_of_three_articles() -> None:
    answer = ask(f"How long did Putin and Macron speak on {MARCH}?", CORPUS, model="quotes")
    assert len(files(answer, answer.claims[0].citations)) == 3
    assert "90-minute" in str(answer.short_answer)
    assert answer.disagreements == ()


@pytest.mark.usefixtures("home")
def test_a_sentence_that_says_who_initiated_the_call_is_cited() -> None:
    answer = ask(f"Who initiated the call on {MARCH}?", CORPUS, model="quotes")
    assert re.search(r"initiated by (?:President )?Putin", answer.text)
    assert answer.disagreements == ()


@pytest.mark.xfail(reason="the reading model takes who was called for who called", strict=True)
@pytest.mark.usefixtures("home")
def test_several_articles_say_first_who_initiated_the_call() -> None:
    answer = ask(f"Who initiated the call on {MARCH}?", CORPUS, model="quotes")
    assert len(files(answer, answer.claims[0].citations)) >= 2
    assert "Putin" in str(answer.short_answer)


@pytest.mark.usefixtures("home")
def test_a_headline_gives_to_putin_what_the_texts_give_to_others() -> None:
    answer = ask("Who said the worst is yet to come?", CORPUS, model="quotes")
    sides = said(answer)
    assert sides["Putin"] == {"002_c5cfba52247c8106.txt"}
    assert "002_c5cfba52247c8106.txt" in sides["The Élysée source"]
    assert "Putin vows 'worst yet to come' to Ukraine, peace talks flop" in answer.text


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many refugees have fled Ukraine?", "1 million"),
        ("How many civilians have died?", "350 civilians"),
        ("How many civilians have been injured?", "2,000"),
    ],
)
def test_a_million_and_more_than_one_million_are_no_disagreement(question: str, words: str) -> None:
    answer = ask(question, CORPUS, model="quotes")
    assert words in answer.claims[0].text
    assert answer.disagreements == ()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    "question",
    [
        "How long did Putin and Macron speak?",
        "When did Putin and Macron speak?",
        "Who initiated the call?",
        "What did Putin and Macron talk about?",
        "Did Putin and Macron agree?",
        "Who called Putin on 21 February?",
        "How many calls were there?",
    ],
)
def test_three_calls_are_no_disagreement(question: str) -> None:
    assert ask(question, CORPUS, model="quotes").disagreements == ()


# ── digests ──

DAYS = {
    "28 January": {"004_8459aed9984c5a3d.txt"},
    "21 February": {"001_ff0877bd891f5005.txt"},
    "3 March": {"000_1f14832e77207206.txt", "002_c5cfba52247c8106.txt", "003_521d802399b9589f.txt"},
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("wording", ["What happened on {} 2022?", "Summarise the call of {} 2022"])
def test_a_digest_of_a_day_keeps_to_it(day: str, wording: str) -> None:
    answer = ask(wording.format(day), CORPUS, model="quotes")
    assert 2 <= len(answer.claims) <= 5
    assert {citation.file for citation in answer.citations} <= DAYS[day]
    assert all(claim.text[-1] in ".”\"'…" for claim in answer.claims)
    places = [(citation.date, citation.file, citation.sentence) for citation in answer.citations]
    assert places == sorted(places)


@pytest.mark.usefixtures("home")
def test_a_digest_without_a_topic_tells_of_several_articles_in_the_order_of_their_dates() -> None:
    answer = ask("Summarise the articles", CORPUS, model="quotes")
    dates = [citation.date or "" for citation in answer.citations]
    assert dates == sorted(dates)
    assert len(set(dates)) == 3


@pytest.mark.usefixtures("home")
def test_a_list_of_what_someone_said_holds_their_words() -> None:
    answer = ask(f"List what Macron told Putin on {MARCH}", CORPUS, model="quotes")
    assert len(answer.claims) >= 2
    for claim in answer.claims:
        assert re.search(r"Macron (warned|reiterated|also|said|confirmed)", claim.text)


STORM = "A storm hit Northport on Friday and tore the roof off the market hall near the harbour. "


def test_a_digest_does_not_repeat_itself(folder: Path) -> None:
    answer = about(
        "What happened on 3 June 2022?",
        folder,
        ("Storm", "3 June 2022", STORM + "Ferries to the islands were cancelled, and trains ran late. He was glad."),
        ("Roof gone", "4 June 2022", STORM + "The council will meet on the repair of the hall, mayor Ann Poole said."),
        ("Old storm", "3 May 2022", "A storm hit Eastwick in the night and sank two boats in its harbour."),
    )
    texts = [claim.text for claim in answer.claims]
    assert texts.count(STORM.strip()) == 1
    assert any(files(answer, claim.citations) == {"a.txt", "b.txt"} for claim in answer.claims)
    assert not any("Eastwick" in text or text.startswith("He ") for text in texts)
    assert all(one != other for one, other in pairwise(texts))


def test_a_day_that_no_article_reports_is_refused(folder: Path) -> None:
    assert about("What happened on 9 July 2022?", folder, ("Storm", "3 June 2022", STORM)).status == "not_in_articles"
