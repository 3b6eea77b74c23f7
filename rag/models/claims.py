"""Claims for the reader's third head: evidence supports a claim, refutes it, or does neither.

FEVER's claims with their pages (Thorne et al. 2018), and claims made from the question sets: a "who" or "what"
question with its answer put in, or the sentence that answers; as they are, and altered on purpose: another answer of
the same article, another number, an opposite, a "not" more or less.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from rag.models.examples import Example, assemble, dated_prefix, window
from rag.models.library import MAX_QUESTION, Document, Library, Question, read_rows

SUPPORTED, REFUTED, NEITHER = range(3)
ROOM = 150  # tokens of a passage
_TITLE = re.compile(r"(.{3,60}?) (?:-LRB-|-LSB-|,|(?:is|was|are|were|refers)\b)")
_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "``": '"', "''": '"'}
_BE = "is was are were".split()
_OPPOSITES = (  # both in the vocabulary; either is put for the other
    "more less,first last,before after,above below,increased decreased,rose fell,accepted rejected,won lost,"
    "began ended,supported opposed,allowed banned,high low,largest smallest,north south,east west,increase decrease,"
    "success failure,agreed refused,confirmed denied,inside outside,old new,all none,with without,always never,"
    "higher lower,started stopped,joined left,early late,good bad,positive negative,most least,many few"
)
_AUXILIARY = [*_BE, *"has had have will can could would did does do".split()]


@dataclass(frozen=True)
class Fact:
    """A claim of FEVER and its page. `label` is SUPPORTED or REFUTED."""

    claim: Question
    page: Document
    label: int


def held_back(passage: str) -> bool:
    """One page in eight is never trained on: verdicts are measured on their claims."""
    return zlib.crc32(passage[:60].encode()) % 8 == 0


def readable(text: str) -> str:
    """FEVER's page text without its treebank brackets and quotes."""
    return re.sub(r"-[LR][RS]B-|``|''", lambda found: _BRACKETS[found.group()], text)


def page_title(passage: str) -> str:
    """What the page is about: the words before the first verb, comma or bracket."""
    found = _TITLE.match(passage)
    return found.group(1) if found else ""


def facts(folder: Path, tokenizer: Tokenizer) -> list[Fact]:
    """The claims to train on; those without evidence sentences on their page are left out."""
    found = []
    for row in read_rows(folder / "fever_claims.jsonl.gz"):
        sentences = row["passage"].split("\n")
        evidence = tuple(n for n, text in enumerate(sentences) if text in row["evidence"])
        if held_back(row["passage"]) or not evidence:
            continue
        pieces = [one.ids for one in tokenizer.encode_batch(list(map(readable, sentences)), add_special_tokens=False)]
        bounds = np.cumsum([0, *map(len, pieces)])
        ids = np.array([token for piece in pieces for token in piece], np.int32)
        page = Document(page_title(row["passage"]), ids, bounds, np.zeros(len(pieces), int), 0)
        claim = tokenizer.encode(row["claim"], add_special_tokens=False).ids[:MAX_QUESTION]
        label = SUPPORTED if row["label"] == "SUPPORTS" else REFUTED
        found.append(Fact(Question(claim, -1, 0, None, evidence, ()), page, label))
    return found


class Altered:
    """Claims made from questions, by the tokens of a document and of the words that matter."""

    def __init__(self, library: Library, questions: list[Question], tokenizer: Tokenizer) -> None:
        self.library = library
        self.usable = [q for q in questions if q.span and len(q.evidence) == 1 and q.span[1] - q.span[0] < 12]
        self.by_document: dict[int, list[Question]] = {}
        for question in self.usable:
            self.by_document.setdefault(question.document, []).append(question)
        known = tokenizer.get_vocab()
        self.asking = {known["who"], known["what"]}
        self.be, self.auxiliary = {known[w] for w in _BE}, {known[w] for w in _AUXILIARY}
        self.negation, self.mark = known["not"], known["?"]
        self.numbers = {number for word, number in known.items() if re.fullmatch(r"\d{1,4}", word)}
        self.by_length: dict[int, list[int]] = {}
        for word, number in known.items():
            if number in self.numbers:
                self.by_length.setdefault(len(word), []).append(number)
        pairs = [pair.split() for pair in _OPPOSITES.split(",")]
        self.opposite = {known[a]: known[b] for pair in pairs for a, b in (pair, pair[::-1])}
        self.did = known["did"]
        self.bases = {  # warned -> warn, closed -> close
            number: known.get(word[:-1], known.get(word[:-2]))
            for word, number in known.items()
            if re.fullmatch(r"[a-z]{3,}ed", word) and (word[:-1] in known or word[:-2] in known)
        }
        self.length = {known[w]: len(w) for w in known if known[w] in self.numbers}

    def claim(self, question: Question, answer: list[int]) -> list[int] | None:
        """ "who wrote it?" -> "ANSWER wrote it"; "what is the capital?" -> "the capital is ANSWER"."""
        ids = [token for token in question.ids if token != self.mark]
        if len(ids) < 4 or ids[0] not in self.asking:
            return None
        if ids[1] in self.be:
            return [*ids[2:], ids[1], *answer]
        return None if ids[1] in self.auxiliary else [*answer, *ids[1:]]

    def other_answer(self, question: Question, rng: np.random.Generator) -> list[int] | None:
        """An answer to another question on the document, of the same kind, that the evidence does not hold."""
        document = self.library.documents[question.document]
        own = document.ids[question.span[0] : question.span[1] + 1].tolist()  # type: ignore[index]
        sentence = question.evidence[0]
        held = f" {' '.join(map(str, document.ids[document.bounds[sentence] : document.bounds[sentence + 1]]))} "
        others = self.by_document[question.document]
        for place in rng.permutation(len(others))[:8].tolist():
            ids = document.ids[others[place].span[0] : others[place].span[1] + 1].tolist()  # type: ignore[index]
            same_kind = (ids[0] in self.numbers) == (own[0] in self.numbers)
            if same_kind and abs(len(ids) - len(own)) < 4 and f" {' '.join(map(str, ids))} " not in held:
                return ids
        return None

    def changed(self, ids: list[int], rng: np.random.Generator) -> list[int] | None:
        """Another number in a claim, an opposite word, or a "not" put in or taken out."""
        numbers = [place for place, token in enumerate(ids) if token in self.numbers]
        if numbers and rng.random() < 0.4:
            place = numbers[int(rng.integers(len(numbers)))]
            choices = [t for t in self.by_length[self.length[ids[place]]] if t != ids[place]]
            return [*ids[:place], choices[int(rng.integers(len(choices)))], *ids[place + 1 :]]
        turned = [place for place, token in enumerate(ids) if token in self.opposite]
        if turned and rng.random() < 0.5:
            place = turned[int(rng.integers(len(turned)))]
            return [*ids[:place], self.opposite[ids[place]], *ids[place + 1 :]]
        return self.denied(ids)

    def denied(self, ids: list[int]) -> list[int] | None:
        """Without its "not", or with one: after the first auxiliary, or as "did not" before the first past tense."""
        if self.negation in ids:
            place = ids.index(self.negation)
            return ids[:place] + ids[place + 1 :]
        for place, token in enumerate(ids):
            if token in self.auxiliary:
                return [*ids[: place + 1], self.negation, *ids[place + 1 :]]
            if place and token in self.bases:
                return [*ids[:place], self.did, self.negation, self.bases[token], *ids[place + 1 :]]
        return None

    def make(self, question: Question, rng: np.random.Generator) -> tuple[list[int], int] | None:
        """A claim on the question's evidence and its label."""
        document, sentence = self.library.documents[question.document], question.evidence[0]
        assert question.span  # as of all that are usable
        first, last = question.span
        answer = document.ids[first : last + 1].tolist()
        false, swap = rng.random() < 0.55, rng.random() < 0.5
        told = self.claim(question, answer) if rng.random() < 0.7 else None
        start, stop = int(document.bounds[sentence]), int(document.bounds[sentence + 1])
        whole = told or document.ids[start:stop].tolist()
        if not false:
            return (whole, SUPPORTED) if len(whole) <= MAX_QUESTION else None
        if swap:
            other = self.other_answer(question, rng)
            if other is None:
                return None
            if told:
                altered = self.claim(question, other)
            else:
                altered = [*document.ids[start:first].tolist(), *other, *document.ids[last + 1 : stop].tolist()]
        else:
            altered = self.changed(whole, rng)
        return (altered, REFUTED) if altered and len(altered) <= MAX_QUESTION else None


def claims(
    library: Library, known: list[Fact], altered: Altered, tokenizer: Tokenizer, rng: np.random.Generator
) -> Iterator[Example]:
    """Without end: FEVER and altered claims, somewhat more than a quarter with passages that do not decide them."""
    while True:
        if rng.random() < 0.55:
            fact = known[int(rng.integers(len(known)))]
            claim, document, label = fact.claim, fact.page, fact.label
        else:
            question = altered.usable[int(rng.integers(len(altered.usable)))]
            made = altered.make(question, rng)
            if made is None:
                continue
            claim, label = replace(question, ids=made[0], span=None), made[1]
            document = library.documents[question.document]
        one = _example(claim, document, label, tokenizer, rng)
        if one is not None:
            yield one


def _example(
    claim: Question, document: Document, label: int, tokenizer: Tokenizer, rng: np.random.Generator
) -> Example | None:
    first, last = claim.evidence[0], claim.evidence[-1]
    undecided = rng.random() < 0.28
    if undecided:
        inside = np.flatnonzero(document.paragraph == claim.paragraph).tolist()
        rest = [n for n in inside if n not in claim.evidence]
        if not rest:
            return None
        run = window(document, rest[int(rng.integers(len(rest)))], ROOM, rng, False, claim.evidence)
        run = (run[0], min(run[1], run[0] + int(rng.integers(4))))
    elif document.bounds[last + 1] - document.bounds[first] > ROOM:
        return None
    elif first < last or rng.random() < 0.6:
        run = (first, last)
    else:
        run = window(document, first, int(rng.integers(60, ROOM)), rng, False)
    prefix = dated_prefix(document.title, tokenizer, rng)
    one = assemble(claim, document, run, prefix, not undecided)
    return one and replace(one, span=None, label=NEITHER if undecided else label)
