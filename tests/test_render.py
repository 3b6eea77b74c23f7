"""Answers and articles as HTML: what is shown, and that text from outside stays text."""

import html
import re
import string
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.metadata import Metadata
from index.passages import Source
from index.sentences import split
from rag import Answer, Citation, Claim, Disagreement, Model, Side, Usage
from ui import article, render

TEXT = "First thing. Second thing said.\nIn a new paragraph.\n\nLoad more\n\nThe last one."
SOURCE = Source("a b.txt", "0" * 64, "utf-8", Metadata("A title", "The Paper", "2022-03-03", None, "Worked out."))


def citation(number: int, sentence: int = 1, text: str = "Some text.") -> Citation:
    return Citation(number, "a b.txt", sentence, 0, len(text), text, "A title", "The Paper", "2022-03-03", "0" * 64)


def answered(*claims: Claim, citations: tuple[Citation, ...] = (), **changed: object) -> Answer:
    values: dict[str, object] = {
        "question": "What?",
        "status": "answered",
        "mode": "quotes",
        "text": " ".join(claim.text for claim in claims),
        "short_answer": None,
        "claims": claims,
        "citations": citations,
        "closest": (),
        "disagreements": (),
        "seconds": 0.04,
    }
    return Answer(**values | changed)  # type: ignore[arg-type]


class Shown(HTMLParser):
    """Tags, and the text that a reader sees (what the page hides, for copying, left out)."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._hidden = False
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = ("class", "plain") in attrs

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self._hidden = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data.replace("\u00a0", " ")

    def links(self) -> list[str | None]:
        return [attributes["href"] for tag, attributes in self.tags if tag == "a"]


@given(st.text())
def test_escaped_text_reads_back_and_holds_no_mark_of_any_syntax(text: str) -> None:
    escaped = render.escape(text)
    left = re.sub(r"&#\d+;", "", escaped)
    assert not set(left) & set(string.punctuation + "\n\r")
    read = "".join(chr(int(part[2:-1])) if part.startswith("&#") else part for part in re.split(r"(&#\d+;)", escaped))
    assert read == text
    assert html.unescape(render.escape("a & <b> $$ {{x}} `y`")) == "a & <b> $$ {{x}} `y`"


@given(st.text(min_size=1))
def test_outside_text_adds_no_tag_no_attribute_and_no_line(text: str) -> None:
    """The same markup comes out whatever the text is, in every place that takes text."""

    def page(word: str) -> str:
        cited = Citation(1, word, 1, 0, 1, word, word, word, word, "0" * 64)
        claim = Claim(word, (1,), "partly", word)
        sides = (Disagreement(word, (Side(word, (1,)),)),)
        told = {"searched": (word,), "notice": word, "usage": Usage(word, 1, 1, 1.0), "mode": "model"}
        source = Source(word, "0" * 64, "utf-8", Metadata(word, word, word, word, word))
        return "".join(
            (
                render.question(word),
                render.notice(word),
                render.header(word, [source], Model(word, "key", "http://host/v1")),
                render.answer(
                    answered(claim, citations=(cited,), short_answer=word, disagreements=sides, **told), 0, True
                ),
                render.answer(answered(status="not_in_articles", closest=(cited,)), 0, True),
                article.listing([(source, word)], 1),
                article.vanished(cited),
                article.problem(word),
            )
        )

    def shape(markup: str) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(attributes)) for tag, attributes in Shown(markup).tags]

    assert shape(page(text)) == shape(page("word"))
    assert "\n" not in page(text)


def test_each_claim_is_followed_by_links_to_its_sources() -> None:
    given = answered(
        Claim("One.", (1,), "supported"),
        Claim("Two.", (2, 3), "supported"),
        citations=(citation(1), citation(2), citation(3)),
    )
    shown = Shown(render.answer(given, 4, True))
    assert shown.text.startswith("One. [1]Two. [2] [3]Sources")
    assert shown.links()[:3] == ["#cite-4-1", "#cite-4-2", "#cite-4-3"]
    labels = [attributes.get("aria-label") for tag, attributes in shown.tags if tag == "a"]
    assert labels[0] == "Source 1, a b.txt, sentence 1: open the article"


def test_a_number_that_names_no_source_is_no_link() -> None:
    shown = Shown(render.answer(answered(Claim("One.", (7,), "supported")), 0, True))
    assert shown.links() == ["#copy-0"]


@pytest.mark.parametrize(
    ("verdict", "badge", "struck"),
    [
        ("supported", "", False),
        ("partly", "partly supported", False),
        ("unsupported", "not supported", True),
        ("uncited", "no source", False),
    ],
)
def test_the_verdict_of_a_claim_is_shown(verdict: str, badge: str, struck: bool) -> None:
    given = answered(Claim("One.", (), verdict))  # type: ignore[arg-type]
    shown = Shown(render.answer(given, 0, False))
    assert shown.text.strip() == f"One. {badge}".strip()
    assert ("s" in [tag for tag, _ in shown.tags]) == struck


def test_the_source_list_tells_where_each_sentence_stands() -> None:
    given = answered(Claim("One.", (1,), "supported"), citations=(citation(1, 12, "“Quoted,” he said."),))
    text = Shown(render.answer(given, 0, True)).text
    assert "1a b.txt · sentence 12 · The Paper · 3 March 2022“Quoted,” he said." in text


def test_a_refusal_offers_the_closest_sentences_as_such() -> None:
    given = answered(status="not_in_articles", text="Not in these articles.", closest=(citation(1), citation(2)))
    shown = Shown(render.answer(given, 3, True))
    assert shown.text.startswith("Not in these articles.The closest sentences, which do not answer it")
    assert shown.links()[:2] == ["#near-3-1", "#near-3-2"]


def test_both_sides_of_a_disagreement_name_who_says_it_and_when() -> None:
    other = Citation(2, "c.txt", 4, 0, 4, "Text", None, None, "2022-02-21", "1" * 64)
    sides = (Side("Ninety minutes", (1,)), Side("An hour", (2,)))
    given = answered(citations=(citation(1), other), disagreements=(Disagreement("the length", sides),))
    text = Shown(render.answer(given, 0, True)).text
    assert "The articles differ: the length" in text
    assert "Ninety minutes [1]The Paper, 3 March 2022An hour [2]c.txt, 21 February 2022" in text


def test_what_a_model_wrote_says_what_was_searched_why_it_ends_and_what_it_cost() -> None:
    claim = Claim("Eight ships sank.", (1,), "unsupported", 'the source says "nine"')
    given = answered(
        claim,
        citations=(citation(1),),
        mode="model",
        searched=("How many ships sank?", "Where did they sink?"),
        notice="OpenAI broke off in the middle of the answer",
        usage=Usage("writer-1", 1200, 34, 0.00123),
    )
    growing, whole = (Shown(render.answer(given, 0, done)).text for done in (False, True))
    assert growing.startswith("Searched for: How many ships sank? · Where did they sink?")
    assert 'the source says "nine"' in growing
    assert "broke off" not in growing
    assert "OpenAI broke off in the middle of the answer" in whole
    assert "Written by writer-1, each sentence checked against its source · 1,200 + 34 tokens, $0.0012" in whole
    free = answered(claim, mode="model", usage=Usage("writer-1", None, None, None))
    assert "tokens" not in Shown(render.answer(free, 0, True)).text


def test_the_header_says_who_is_sent_the_questions() -> None:
    model = Model("writer-1<b>", "the key of the test", "http://models.example:8000/v1/secret")
    shown = Shown(render.header("news", (), model))
    assert "Answers are written by writer-1<b> at models.example:8000, which is sent your question" in shown.text
    assert "key" not in shown.text
    assert "secret" not in shown.text
    assert "written by" not in Shown(render.header("news", ())).text


def test_plain_text_carries_the_sources() -> None:
    given = answered(Claim("One.", (1,), "supported"), citations=(citation(1, 2),), text="One. [1]")
    assert render.plain(given) == (
        "What?\n\nOne. [1]\n\nSources\n[1] a b.txt, sentence 2, The Paper, 3 March 2022: “Some text.”"
    )


@pytest.mark.parametrize(
    ("dates", "shown"),
    [
        (["2022-03-03", "2022-01-28"], "2 articles, 28 January to 3 March 2022"),
        (["2021-12-31", "2022-01-01"], "2 articles, 31 December 2021 to 1 January 2022"),
        (["2022-03-03"], "1 article, 3 March 2022"),
        ([None], "1 article"),
        ([], "0 articles"),
    ],
)
def test_the_header_says_what_is_asked(dates: list[str | None], shown: str) -> None:
    sources = [Source(f"{n}.txt", "0" * 64, "utf-8", Metadata(date=date)) for n, date in enumerate(dates)]
    assert f"{shown} folder" in Shown(render.header("folder", sources)).text


def test_an_article_shows_all_its_sentences_and_marks_the_cited_ones() -> None:
    markup = article.at_sentence(SOURCE, TEXT, split(TEXT), 2, {2, 3})
    assert re.findall(r"<mark[^>]*>(.*?)</mark>", html.unescape(markup)) == [
        "Second thing said.",
        "In a new paragraph.",
    ]
    assert markup.count('<mark id="cited">') == 1
    shown = Shown(markup)
    assert "First thing. Second thing said.In a new paragraph.Load moreThe last one." in shown.text
    assert "A titleThe Paper · 3 March 2022a b.txt · sentence 2 of 5" in shown.text
    assert "Worked out." in shown.text


def test_of_a_very_long_article_the_part_around_the_sentence_is_shown() -> None:
    text = " ".join(f"Sentence number {number} is here." for number in range(1, 5001))
    shown = Shown(article.at_sentence(SOURCE, text, split(text), 2000, ())).text
    assert "1,699 earlier sentences are left out here." in shown
    assert "2,700 later sentences are left out here." in shown
    assert "Sentence number 1700 is" in shown
    assert "Sentence number 2301 is" not in shown


def test_the_list_shows_the_newest_articles_first_and_counts_the_rest() -> None:
    days = [
        None,
        *(f"2022-01-{day:02}" for day in range(1, 32)),
        *(f"2022-02-{day:02}" for day in range(1, 29)),
        "2021-01-01",
    ]
    sources = [Source(f"{n}.txt", "0" * 64, "utf-8", Metadata(date=day)) for n, day in enumerate(days)]
    rows = article.shown(sources)
    assert [row.metadata.date for row in rows[:2]] == ["2022-02-28", "2022-02-27"]
    text = Shown(article.listing([(row, "Opening.") for row in rows], 1234)).text
    assert text.endswith("and 1,174 more")
