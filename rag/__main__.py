"""`python -m rag "question"`: ask on the command line. Exit code 0, 1 (not in the articles) or 2 (mend something)."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence

from index.errors import PinciteError
from index.home import ARTICLES
from index.read import printable, shown
from rag.ask import ask
from rag.types import Answer, Citation, Claim, Disagreement


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer one question on standard output; errors are one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m rag", description="Ask a folder of news articles.")
    parser.add_argument("question")
    parser.add_argument("--articles", metavar="DIR", help=ARTICLES)
    parser.add_argument("--model", metavar="NAME", help='language model that writes the answer; "quotes" for none')
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    given = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding gets escapes, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        answer = ask(given.question, given.articles, model=given.model)
        if answer.notice:
            print(shown(f"python -m rag: {answer.notice}"), file=sys.stderr)
        print(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2) if given.json else as_text(answer), flush=True)
    except PinciteError as error:
        print(f"python -m rag: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0 if answer.status == "answered" else 1


def as_text(answer: Answer) -> str:
    """An answer for a terminal: the text, what was left out of it and why, then where each [n] points.

    Control characters are shown, not obeyed.
    """
    lines = [f"Searched for: {' | '.join(answer.searched)}", ""] if answer.searched else []
    lines += [answer.short_answer, ""] if answer.short_answer else []
    lines.append(answer.text)
    lines += [f"Left out ({claim.verdict}: {claim.reason}): {claim.text}" for claim in left_out(answer)]
    lines += [_disagreement(found) for found in answer.disagreements]
    if answer.citations:
        lines += ["", *(_source(citation) for citation in answer.citations)]
    elif answer.closest:
        lines += ["", "The closest sentences:", *(f"{_source(item)}\n    {item.text}" for item in answer.closest)]
    return shown("\n".join(lines))


def left_out(answer: Answer) -> list[Claim]:
    """The sentences of a model that their sources do not support."""
    return [claim for claim in answer.claims if claim.verdict in ("unsupported", "uncited")]


def _disagreement(found: Disagreement) -> str:
    sides = (f"  - {side.says} {''.join(f'[{number}]' for number in side.citations)}" for side in found.sides)
    return "\n".join(["", f"The articles differ: {found.about}" if found.about else "The articles differ", *sides])


def _source(citation: Citation) -> str:
    details = ", ".join(part for part in (citation.publisher, citation.date) if part)
    where = f"[{citation.number}] {printable(citation.file)}, sentence {citation.sentence}"
    return f"{where} ({details})" if details else where


if __name__ == "__main__":
    sys.exit(main())
