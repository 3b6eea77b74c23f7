"""Question -> answers that a language model writes, one checked sentence more at a time.

The model sees the question and numbered evidence; what it cites is looked up by us, and each of its sentences is
checked against what it cites before anyone sees it.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from index.archive import Archive
from rag.conversation import Resolved, resolve
from rag.digest import asks_for_digest
from rag.disagreement import differences
from rag.draft import Drafted, answer_messages, from_prompt, is_refusal, rewrite_messages, searches, sentences
from rag.evidence import cite, closest, gather, look
from rag.llm import Model, ModelError, complete, write
from rag.quotes import Quote, short_answer
from rag.reader import ReadSentence
from rag.types import Answer, Citation, Claim, Turn, Usage
from rag.verify import check, grounds

MOST_SENTENCES = 12  # of an answer; the prompt asks for five at most
# Questions that may need more than one search: two facts, a comparison, an order of events.
_SEVERAL = re.compile(
    r"\b(?:and|or|but) (?:who|what|when|where|why|how|which|did|does|is|are|was|were|has|have|had)\b|"
    r"\bbefore or after\b|\bcompared?\b|\bdiffer|\b(?:earlier|later|longer|more|less|fewer) than\b|\?.+\?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Found:
    """The question as the model is asked it, what was searched, the evidence, and what asking for searches used."""

    question: str
    searched: tuple[str, ...]
    evidence: tuple[ReadSentence, ...]
    usage: Usage | None


def written(question: str, archive: Archive, history: Sequence[Turn], model: Model) -> Iterator[Answer]:
    """Growing answers.

    Raises ModelError when nothing came that could be shown: no reply in time, or no sentence that its sources
    support. An answer that breaks off later says so in its `notice`.
    """
    deadline = time.monotonic() + model.seconds
    found = _search(question, archive, history, model, deadline)
    if not found.evidence:
        raise ModelError("there is nothing in the articles to write from")
    searched = found.searched if found.searched != (question,) else ()
    answer = replace(Answer.empty(question, "model"), searched=searched, usage=found.usage)
    for grown in _grown(answer, found, archive, model, deadline):
        answer = grown
        if answer.text or answer.status == "not_in_articles":
            yield answer
    if answer.status == "answered" and not answer.text:
        raise ModelError(answer.notice or f"the articles do not support what {model.name} wrote", answer.usage)


def _search(question: str, archive: Archive, history: Sequence[Turn], model: Model, deadline: float) -> _Found:
    """Evidence for the question as the model rewords it, where it leans on the conversation or asks several things."""
    asked, usage = (question,), None
    alone = resolve(question, history)
    if alone.search != question or _SEVERAL.search(question):
        reply, usage = complete(model, rewrite_messages(question, history), deadline)
        asked = (question,) if model.holds_key(reply) else searches(reply, question, history)
    lookups = [Resolved(one, one) for one in asked] if asked != (question,) else [alone]
    whole = question if len(asked) > 1 and not history else " ".join(asked)
    return _Found(whole, asked, gather(*(look(archive, one) for one in lookups)), usage)


def _grown(answer: Answer, found: _Found, archive: Archive, model: Model, deadline: float) -> Iterator[Answer]:
    """The answer with each sentence more; the last one has the usage, and why it ends early if it does."""
    usage: list[Usage] = []

    def words() -> Iterator[str]:
        for piece in write(model, answer_messages(found.question, found.evidence), deadline):
            if piece.usage:
                usage.append(piece.usage)
            yield piece.text

    try:
        with closing(sentences(words())) as drafted:
            for sentence in drafted:
                if is_refusal(sentence.text) and not answer.claims:
                    answer = answer.refused(closest(found.evidence))
                    break
                if len(answer.claims) == MOST_SENTENCES:
                    answer = replace(answer, notice=f"{model.name} wrote on and on; the rest is left out")
                    break
                if _leaks(sentence.text, answer, model):
                    answer = replace(answer, notice=f"a sentence in which {model.name} repeats its orders is left out")
                    continue
                answer = _with_claim(answer, sentence, found.evidence, archive)
                yield answer
    except ModelError as error:
        answer = replace(answer, notice=str(error))
    writing = usage[0] if usage else Usage(model.name, None, None, None)
    usage_of_all = answer.usage + writing if answer.usage else writing
    answer = _with_sides(answer, found)
    short = None if answer.disagreements else _short(answer, found)
    yield replace(answer, usage=usage_of_all, short_answer=short)


def _with_sides(answer: Answer, found: _Found) -> Answer:
    """Where the articles differ, the reader is told so whatever the model wrote."""
    if not answer.text or answer.status != "answered" or asks_for_digest(found.question):
        return answer
    told = differences(found.question, found.evidence)
    citations = list(answer.citations)
    for side in (side for difference in told for side in difference.sides):
        _numbered(side.evidence[0], citations)
    sides = tuple(difference.cited(citations) for difference in told)
    return replace(answer, citations=tuple(citations), disagreements=sides)


def _short(answer: Answer, found: _Found) -> str | None:
    """The words that answer in the best of the cited sentences, where the model uses them too."""
    cited = {(one.file, one.sentence) for one in answer.citations}
    for item in found.evidence:
        if (item.source.file, item.sentence.number) in cited:
            short = short_answer(Quote((item,)), found.question)
            return short if short and short.lower() in answer.text.lower() else None
    return None


def _leaks(text: str, answer: Answer, model: Model) -> bool:
    """Whether a sentence, by itself or after those before it, repeats the prompt, or holds the key."""
    whole = " ".join([*(claim.text for claim in answer.claims), text])
    return from_prompt(whole) or model.holds_key(text)


def _with_claim(answer: Answer, drafted: Drafted, evidence: Sequence[ReadSentence], archive: Archive) -> Answer:
    """The answer with one sentence more, its citations numbered on, and the verdict on it."""
    offered = [evidence[number - 1] for number in drafted.numbers if 0 < number <= len(evidence)]
    citations = list(answer.citations)
    numbers = tuple(dict.fromkeys(_numbered(item, citations) for item in offered))
    claim = Claim(drafted.text, numbers, "uncited", "it cites no sentence")
    strange = [str(number) for number in drafted.numbers if not 0 < number <= len(evidence)]
    if strange:
        claim = replace(claim, verdict="unsupported", reason=f"it cites [{strange[0]}], which is no source")
    elif offered:
        checked = check(drafted.text, [grounds(archive, item.source.file, item.sentence.number) for item in offered])
        claim = replace(claim, verdict=checked.verdict, reason=checked.reason)
    claims = (*answer.claims, claim)
    return replace(answer, text=_text(claims), claims=claims, citations=tuple(citations))


def _numbered(item: ReadSentence, citations: list[Citation]) -> int:
    """The number of the sentence among the citations, which it joins when it is new."""
    for known in citations:
        if (known.file, known.sentence) == (item.source.file, item.sentence.number):
            return known.number
    citations.append(cite(item.source, item.sentence, len(citations) + 1))
    return len(citations)


def _text(claims: Sequence[Claim]) -> str:
    """What may be passed on: the sentences that their sources support, at least in part."""
    kept = (claim for claim in claims if claim.verdict in ("supported", "partly"))
    return " ".join(claim.cited() for claim in kept)
