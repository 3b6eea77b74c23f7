"""Dates in questions: what is named, and which articles fit."""

import pytest

from index.dates import NamedDate, fits, fits_any, in_words, named_dates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the call of 3 March 2022", [NamedDate(3, 3, 2022)]),
        ("March 3rd, 2022?", [NamedDate(3, 3, 2022)]),
        ("on Feb. 21", [NamedDate(2, 21)]),
        ("the 20th of February", [NamedDate(2, 20)]),
        ("between 28 January and 3 March", [NamedDate(1, 28), NamedDate(3, 3)]),
        ("on 2022-01-28", [NamedDate(1, 28, 2022)]),
        ("in September 2021", [NamedDate(9, None, 2021)]),
        ("What happened in January?", [NamedDate(1)]),
        ("may he march on the capital, or decide otherwise", []),
        ("the 2,700 missiles of 1997", []),
        ("on 45 March", []),
    ],
)
def test_named_dates(text: str, expected: list[NamedDate]) -> None:
    assert list(named_dates(text)) == expected


@pytest.mark.parametrize(
    ("named", "article", "expected"),
    [
        (NamedDate(3, 3), "2022-03-03", True),
        (NamedDate(3, 3), "2022-03-05", True),  # reported two days later
        (NamedDate(3, 3), "2022-03-02", True),  # time zones
        (NamedDate(3, 3), "2022-03-20", False),
        (NamedDate(1, 28), "2022-03-03", False),
        (NamedDate(12, 31), "2023-01-01", True),  # the year before
        (NamedDate(3, 3, 2021), "2022-03-03", False),
        (NamedDate(2), "2022-02-21", True),
        (NamedDate(2, None, 2021), "2022-02-21", False),
        (NamedDate(2, 29, 2022), "2022-03-01", False),  # no such day
        (NamedDate(3, 3), None, None),
        (NamedDate(3, 3), "yesterday", None),
    ],
)
def test_fits(named: NamedDate, article: str | None, expected: bool | None) -> None:
    assert fits(named, article) is expected


def test_a_passage_fits_when_its_text_names_the_date() -> None:
    dates = named_dates("What was agreed for February 24?")
    assert fits_any(dates, "2022-02-10", "They will meet on 24 February.")
    assert not fits_any(dates, "2022-02-10", "They will meet soon.")
    assert not fits_any((), "2022-02-10", "They will meet on 24 February.")


def test_in_words() -> None:
    assert in_words("2022-03-03") == "3 March 2022"
    assert in_words(None) == ""
    assert in_words("spring") == "spring"
