"""Passages: runs of whole sentences that cover the evidence of an article and overlap a little."""

from hypothesis import given
from hypothesis import strategies as st

from index.home import CORPUS
from index.metadata import Metadata
from index.passages import MAX_CHARACTERS, MAX_OVERLAP, Passage, Source, runs
from index.sentences import Sentence, split


def sentences(*lengths: int, boilerplate: frozenset[int] = frozenset()) -> tuple[Sentence, ...]:
    """Sentences of the given lengths; `boilerplate` holds numbers."""
    rows = []
    start = 0
    for number, length in enumerate(lengths, 1):
        rows.append(Sentence(number, start, start + length, "x" * length, number in boilerplate))
        start += length + 1
    return tuple(rows)


def test_a_short_article_is_one_passage() -> None:
    assert runs(sentences(100, 100, 100)) == [(1, 3)]


def test_the_next_passage_repeats_a_short_last_sentence() -> None:
    half = MAX_CHARACTERS // 2 - 1
    assert runs(sentences(half, half, half)) == [(1, 2), (3, 3)]  # the second is too long to be repeated
    assert runs(sentences(half, MAX_OVERLAP, half)) == [(1, 2), (2, 3)]


def test_a_long_sentence_stands_alone_and_is_not_repeated() -> None:
    assert runs(sentences(100, 2000, 100)) == [(1, 1), (2, 2), (3, 3)]
    assert runs(sentences(MAX_CHARACTERS)) == [(1, 1)]


def test_boilerplate_neither_starts_nor_ends_a_passage_nor_counts() -> None:
    assert runs(sentences(10, 100, 5000, 100, 10, boilerplate=frozenset({1, 3, 5}))) == [(2, 4)]


def test_an_article_of_boilerplate_alone_has_no_passage() -> None:
    assert runs(sentences(10, 10, boilerplate=frozenset({1, 2}))) == []
    assert runs(()) == []


LENGTHS = st.lists(st.integers(1, 900), max_size=60)


@given(LENGTHS, st.frozensets(st.integers(1, 60)))
def test_passages_cover_all_evidence_in_order(lengths: list[int], boilerplate: frozenset[int]) -> None:
    article = sentences(*lengths, boilerplate=boilerplate)
    evidence = [sentence.number for sentence in article if not sentence.boilerplate]
    covered: list[int] = []
    for first, last in runs(article):
        run = [sentence for sentence in article[first - 1 : last] if not sentence.boilerplate]
        assert {first, last} <= set(evidence)
        assert len(run) == 1 or sum(len(sentence.text) for sentence in run) <= MAX_CHARACTERS
        repeated = [number for number in covered if number >= first]
        assert len(repeated) <= 1
        assert all(len(article[number - 1].text) <= MAX_OVERLAP for number in repeated)
        covered += [sentence.number for sentence in run if sentence.number not in repeated]
    assert covered == evidence


def test_passages_of_the_default_articles_are_the_text_itself() -> None:
    for path in sorted(CORPUS.glob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        article = split(text)
        for first, last in runs(article):
            run = article[first - 1 : last]
            source = Source(path.name, "", "utf-8", Metadata())
            passage = Passage(1, source, run, text[run[0].start : run[-1].end])
            assert all(sentence.text in passage.text for sentence in passage.evidence)
            assert passage.evidence
