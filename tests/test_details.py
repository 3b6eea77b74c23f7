"""Quotations, names, numbers, dates, denials and deeds: what of a claim can be looked up in a text."""

from datetime import date

import pytest

from index.dates import in_words
from rag.amounts import mixed_up
from rag.contradiction import contradiction
from rag.days import check_dates, spoken, spread
from rag.deeds import swapped
from rag.grounds import Grounds
from rag.names import Known, names, root
from rag.quantities import near, quantities, same
from rag.words import find_quotation, plain, quotations


def test_plain_text_has_one_typography_and_no_controls() -> None:
    assert plain("“It’s” – U.N.\u200b \x00\x1b **now**\ud800") == '"It\'s" - UN now'
    assert plain("the United Nations and the U.S.") == "the UN and the US"


@pytest.mark.parametrize(
    ("quotation", "text", "found"),
    [
        ("the worst is yet to come,", "“We expect the worst is yet to come,” he said", True),
        ("It was emphasized that the tasks", "“It was [emphasized] that the tasks", True),
        ("It was [said] that the tasks", "“It was [emphasized] that the tasks", True),
        ("It [...] tasks", "“It was [emphasized] that the tasks", True),
        ("the tasks … it was", "It was said that the tasks", False),  # not in this order
        ("worst … come", "the worst is yet to come", True),
        ("The Worst", "the worst", True),
        ("the best is yet to come", "the worst is yet to come", False),
        ("come", "coming", False),
    ],
)
def test_a_quotation_keeps_its_words(quotation: str, text: str, found: bool) -> None:
    assert (find_quotation(plain(quotation), plain(text)) >= 0) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('He said “a b” and "c".', ["a b", "c"]),
        ("He called it ‘a major mistake’.", ["a major mistake"]),
        ("Putin's aides' plan isn't theirs", []),
        ("«Oui», dit-il; „Nein“", ["Oui", "Nein"]),
        ('an open " mark, and "..."', [" mark, and "]),
    ],
)
def test_quotations(text: str, found: list[str]) -> None:
    assert list(quotations(plain(text))) == found


@pytest.mark.parametrize(
    ("one", "other", "same_name"),
    [
        ("Russia", "Russian", True),
        ("Russia", "Kremlin", True),
        ("Ukraine", "Ukrainians", True),
        ("Germany", "German", True),
        ("France", "French", True),
        ("Élysée", "Elysee", True),
        ("Zelensky", "Zelenskyy", True),
        ("Putin", "Putin's", True),
        ("Kyiv", "Kiev", True),
        ("Austria", "Australia", False),
        ("Iran", "Iraq", False),
        ("Slovakia", "Slovenia", False),
        ("John", "Johnson", False),
        ("Martin", "Martinez", False),
        ("India", "Indiana", False),
    ],
)
def test_forms_of_a_name(one: str, other: str, same_name: bool) -> None:
    assert (root(plain(one)) == root(plain(other))) is same_name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("On Thursday, President Vladimir Putin called Macron.", ["Vladimir Putin", "Macron"]),
        ("Critics said no. Refugees have fled.", []),
        ("Merkel said no. Angela Merkel's aides agreed.", ["Merkel", "Angela Merkel"]),
        ("J. K. Rowling and the Bank of England", ["J K Rowling", "Bank", "England"]),
        ("NATO met. UN officials did too.", ["NATO", "UN"]),
        ("The White House's Brian Deese", ["White House", "Brian Deese"]),
        ("in March, on Monday, I and the Prime Minister", []),
        ("no names at all", []),
    ],
)
def test_names(text: str, found: list[str]) -> None:
    assert [name.text for name in names(plain(text))] == found


@pytest.mark.parametrize(
    ("name", "text", "held"),
    [
        ("Emmanuel Macron", "Macron said so", True),  # a model knows his first name
        ("Hunter Biden", "Joe Biden said so", False),
        ("Joe Biden", "Joseph Biden said so", True),
        ("Donald Trump", "Donald J. Trump said so", True),
        ("Washington Post", "the New York Post", False),
        ("World Health Organization", "a WHO official", True),
        ("WHO", "the World Health Organization", True),
        ("United Nations", "the UN estimates", True),
        ("Scholz", "Macron said so", False),
        ("North Korea", "South Korea said so", False),
    ],
)
def test_a_name_is_held(name: str, text: str, held: bool) -> None:
    (looked_for,) = names(plain(f"by {name}"))
    assert Known(plain(f"- {text}")).holds(looked_for) is held


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("90-minute talks", 90, "minute"),
        ("ninety minutes", 90, "minute"),
        ("an hour and a half", 1.5, "hour"),
        ("one and a half hours", 1.5, "hour"),
        ("half an hour", 0.5, "hour"),
        ("one million", 1e6, ""),
        ("1 million", 1e6, ""),
        ("1,000,000", 1e6, ""),
        ("1m", 1e6, ""),
        ("a million", 1e6, ""),
        ("half a million", 5e5, ""),
        ("two hundred and fifty thousand", 250_000, ""),
        ("one million two hundred thousand", 1.2e6, ""),
        ("a hundred and one", 101, ""),
        ("thirty-five", 35, ""),
        ("a dozen", 12, ""),
        ("76%", 76, "%"),
        ("76 per cent", 76, "%"),
        ("76 percent", 76, "%"),
        ("two-thirds", 200 / 3, "%"),
        ("half of them", 50, "%"),
        ("$1.13bn", 1.13e9, "$"),
        ("£600m", 6e8, "£"),
        ("five million dollars", 5e6, "$"),
        ("the third call", 3, "th"),
        ("the 21st", 21, "th"),
        ("the 1950s", 1950, "s"),
        ("the 1950's", 1950, "s"),
        ("8pm", 8, "pm"),
        ("5 p.m.", 5, "pm"),
        ("45-year-old", 45, "year"),
    ],
)
def test_a_number_is_read(text: str, value: float, unit: str) -> None:
    (found,) = quantities(plain(text))
    assert (found.value, found.unit) == (pytest.approx(value), unit)


def test_two_numbers_that_are_one() -> None:
    assert ("hour", 1.5) in [(one.unit, one.value) for one in quantities("an hour and 30 minutes")]
    assert ("$", 4e8) in [(one.unit, one.value) for one in quantities("$400 to $500 million")]


@pytest.mark.parametrize(
    ("claim", "source", "agrees"),
    [
        ("90 minutes", "1.5 hours", True),
        ("two weeks", "14 days", True),
        ("two years", "24 months", True),
        ("60 miles", "97 km", True),
        ("60 miles", "60 km", False),
        ("90 hours", "90 minutes", False),
        ("about 500", "496", True),
        ("500", "496", False),
        ("nearly 500", "430", False),
        ("$5 million", "£5 million", False),
        ("76 percent", "76", False),
        ("350", "over 350", True),
        ("the 1950s", "1959", True),
        ("the 1950s", "1960", False),
        ("8 a.m.", "8 p.m.", False),
        ("3rd", "third", True),
        ("second", "two", False),
    ],
)
def test_numbers_agree(claim: str, source: str, agrees: bool) -> None:
    one, other = quantities(plain(claim))[0], quantities(plain(source))[0]
    assert (same(one, other) or near(one, other)) is agrees


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("on Thursday", date(2022, 3, 3)),
        ("on Monday", date(2022, 2, 28)),
        ("on Monday", date(2022, 3, 7)),
        ("on Monday and Thursday of last week", date(2022, 2, 21)),
        ("on Monday and Thursday of last week", date(2022, 2, 24)),
        ("last Thursday", date(2022, 2, 24)),
        ("next Friday", date(2022, 3, 11)),
        ("yesterday", date(2022, 3, 2)),
        ("tonight", date(2022, 3, 3)),
        ("two days ago", date(2022, 3, 1)),
    ],
)
def test_the_day_that_words_stand_for(text: str, day: date) -> None:
    assert day in set(spoken(text, date(2022, 3, 3)))  # a Thursday
    assert list(spoken(text, None)) == []


def test_last_week_is_not_this_week() -> None:
    assert date(2022, 3, 3) not in set(spoken("on Thursday of last week", date(2022, 3, 3)))


def test_ranges_of_dates() -> None:
    assert spread("3 to 5 March and March 7-9") == "3 March, 5 March and March 7, March 9"


@pytest.mark.parametrize(
    ("claim", "text", "verdicts"),
    [
        ("on 3 March 2022", "He called on Thursday.", []),
        ("on March 3", "He called.", []),  # the article's own date
        ("in March", "He called.", []),
        ("on 24 February", "They spoke on Thursday of last week.", []),
        ("on 3 March", "They spoke on Monday.", ["partly"]),
        ("on 4 March", "He called on Thursday.", ["unsupported"]),
        ("on 3 March 2021", "He called on Thursday.", ["unsupported"]),
        ("in April", "He called on Thursday.", ["unsupported"]),
        ("on Thursday", "He called on March 3.", ["supported"]),
        ("on Tuesday", "He called on Thursday.", ["unsupported"]),
        ("from 1 to 3 March", "It lasted from 1 March to 3 March.", []),
        ("on 31 February", "He called.", ["unsupported"]),
    ],
)
def test_dates_of_a_claim(claim: str, text: str, verdicts: list[str]) -> None:
    cited = [Grounds(text, f"Talks · {in_words('2022-03-03')}", "2022-03-03", "")]
    assert [found.verdict for found in check_dates(claim, cited)] == verdicts


@pytest.mark.parametrize(
    ("claim", "source", "contradicts"),
    [
        ("The chat resulted in a breakthrough", "The chat did not result in a breakthrough", True),
        ("The chat did not result in a breakthrough", "The chat did not result in a breakthrough", False),
        ("Macron was concerned", "The chat did not help, leaving Macron concerned", False),
        ("Trump has not sent investigators", "Trump has sent investigators", True),
        ("Putin backed down", "Putin has refused to back down", True),
        ("Putin refused to back down", "Putin has refused to back down", False),
        ("Putin did not refuse to back down", "Putin has refused to back down", True),
        ("NATO established a no-fly zone", "NATO ruled out establishing a no-fly zone", True),
        ("They met without lawyers", "They met with lawyers", True),
        ("Shares rose by 5%", "Shares fell by 5%", True),
        ("Shares did not rise", "Shares fell", False),
        ("More people came", "Fewer people came", True),
        ("He spoke before dinner", "He ate after the vote", False),
        ("They accepted the plan", "They rejected the plan", True),
        ("The reason is clear", "The reason is unclear", True),
        ("The plan is legal", "The plan is illegal", True),
        ("He lives in North Korea", "He lives in the south of North Korea", False),
        ("It was not only big but loud", "It was big and loud", False),
    ],
)
def test_denials_and_opposites(claim: str, source: str, contradicts: bool) -> None:
    assert (contradiction(claim, source) is not None) is contradicts


@pytest.mark.parametrize(
    ("claim", "source", "is_swapped"),
    [
        ("Putin called Macron", "President Vladimir Putin contacted French President Emmanuel Macron", False),
        ("Macron contacted Putin", "President Vladimir Putin contacted French President Emmanuel Macron", True),
        ("Macron was called by Putin", "Putin called Macron", False),
        ("Putin was called by Macron", "Putin called Macron", True),
        ("The call was initiated by Macron", "Macron spoke in a call initiated by Putin", True),
        ("Cooper said no", "“No to Perry,” said Robert Cooper", False),
        ("Perry said no", "“No to Perry,” said Robert Cooper", True),
        ("Warner offered Trump a deal", "Mark Warner, top Democrat on the panel, offered Trump a deal", False),
        ("He backed the nomination of Nuland", "McCain and Rice backed the nomination of Victoria Nuland", False),
        ("with the voices of Amy Adams", "with the voices of Jason Lee, Amy Adams and Brad Garrett", False),
        ("Scholz called Macron", "Putin called Macron", False),  # a name that is missing is no swap
        ("Ryan said no", "Ryan, chairman of the House Budget Committee, said no", False),
    ],
)
def test_who_does_what_to_whom(claim: str, source: str, is_swapped: bool) -> None:
    assert (swapped(plain(claim), plain(source)) is not None) is is_swapped


def test_numbers_that_changed_places() -> None:
    source = "Over 350 civilians have died and over 2,000 more have been injured."
    assert mixed_up("2,000 civilians died and 350 were injured.", source) == ("2,000 civilians", "Over 350 civilians")
    assert mixed_up("350 civilians died and 2,000 were injured.", source) is None
    assert mixed_up("400 civilians died.", source) is None  # a number that is missing is not mixed up
