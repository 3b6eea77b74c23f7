"""What an answer is made of. Everything is frozen: a stage makes new values from old ones.

`Answer.to_dict()` is the one JSON shape: of Python, of `python -m rag --json` and of the evals.
"""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any, Literal

NOT_IN_ARTICLES = "Not in these articles."  # the whole text of an answer that is a refusal

Status = Literal["answered", "not_in_articles"]
Mode = Literal["quotes", "model"]
Verdict = Literal["supported", "partly", "unsupported", "uncited"]


@dataclass(frozen=True)
class Turn:
    """An earlier question of a conversation and the text of its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Citation:
    """One exact sentence of one file: `text == decoded[start:end]`, in code points of the file's decoded text."""

    number: int  # the [n] of the answer, from 1 in the order of appearance
    file: str
    sentence: int  # counted from 1 within the file
    start: int
    end: int
    text: str
    title: str | None
    publisher: str | None
    date: str | None  # ISO
    sha256: str  # of the file's bytes


@dataclass(frozen=True)
class Claim:
    """One sentence of the answer, the numbers of its citations, and whether they support it.

    In mode "quotes" its text is the sentence of the first citation, word for word; the others say the same.
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    reason: str | None = None  # why it is not supported, or what was worked out to support it

    def cited(self) -> str:
        """The sentence with its marks: "It lasted 90 minutes. [1][2]"."""
        return self.text + " " + "".join(f"[{number}]" for number in self.citations)


@dataclass(frozen=True)
class Side:
    """What some of the articles say about a thing on which the articles disagree."""

    says: str
    citations: tuple[int, ...]


@dataclass(frozen=True)
class Disagreement:
    """A thing that the articles report differently."""

    about: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Usage:
    """What a model that wrote an answer was sent and sent back. None: the server did not say, or has no known price."""

    model: str
    input_tokens: int | None
    output_tokens: int | None
    dollars: float | None

    def __add__(self, other: "Usage") -> "Usage":
        """Both calls; what one of them did not tell is not known of the whole."""
        pairs = zip(astuple(self)[1:], astuple(other)[1:], strict=True)
        return Usage(self.model, *(None if None in pair else sum(pair) for pair in pairs))


@dataclass(frozen=True)
class Answer:
    """The answer to a question. While it is streamed, each next Answer holds at least the claims of the one before."""

    question: str
    status: Status
    mode: Mode
    text: str
    short_answer: str | None
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    closest: tuple[Citation, ...]  # offered, labelled as such, when the status is not_in_articles
    disagreements: tuple[Disagreement, ...]
    seconds: float
    searched: tuple[str, ...] = ()  # what was searched for, where that is not the question as it was asked
    notice: str | None = None  # one line: why no model wrote this although one was asked for, or why it ends early
    usage: Usage | None = None  # of the model that wrote this, or should have

    @classmethod
    def empty(cls, question: str, mode: Mode) -> "Answer":
        """What an answer grows from."""
        return cls(question, "answered", mode, "", None, (), (), (), (), 0.0)

    def refused(self, closest: tuple[Citation, ...]) -> "Answer":
        """The answer that there is none, with the sentences that come closest."""
        return replace(self, status="not_in_articles", text=NOT_IN_ARTICLES, closest=closest)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values, in the shape of the public contract."""
        return _plain(asdict(self))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
