"""Is every citation byte for byte where it says? Checked against the files on disk, not against the archive."""

from evals.cases import Articles
from rag.types import Answer, Citation


def faults(answer: Answer, articles: Articles) -> list[str]:
    """What is wrong with the citations of an answer, the offered closest sentences included; empty when all is right.

    At most one fault per citation, and one per number that is used without a citation or used for two.
    """
    shown = [*answer.citations, *answer.closest]
    found = [f"{_name(citation)}: {fault}" for citation in shown if (fault := citation_fault(citation, articles))]
    numbers = [citation.number for citation in answer.citations]
    if len(set(numbers)) < len(numbers):
        found.append(f"the numbers of the citations are not unique: {numbers}")
    sides = [side for disagreement in answer.disagreements for side in disagreement.sides]
    used = {number for part in (*answer.claims, *sides) for number in part.citations}
    return found + [f"[{number}] is used but is not a citation" for number in sorted(used - set(numbers))]


def citation_fault(citation: Citation, articles: Articles) -> str | None:
    """Why a citation is not exact, or None: file, sha256, text == decoded[start:end], sentence number."""
    article = articles.article(citation.file)
    if article is None:
        return "no such readable file in the folder"
    if article.sha256 != citation.sha256:
        return "the sha256 is not that of the file"
    if not 0 <= citation.start < citation.end or article.text[citation.start : citation.end] != citation.text:
        return f"the text does not stand at {citation.start}:{citation.end}"
    sentences = articles.sentences(citation.file)
    if not 1 <= citation.sentence <= len(sentences):
        return f"the file has no sentence {citation.sentence}"
    sentence = sentences[citation.sentence - 1]
    if (sentence.start, sentence.end) != (citation.start, citation.end):
        return f"sentence {citation.sentence} stands at {sentence.start}:{sentence.end}"
    return None


def _name(citation: Citation) -> str:
    return f"[{citation.number}] {citation.file} sentence {citation.sentence}"
