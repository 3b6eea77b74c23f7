"""An answer -> what a language model says of it: is it correct, and do the sentences that it cites say so?

Not LlamaIndex's evaluators (looked at in 0.14.25). FaithfulnessEvaluator takes every reply that contains "yes" for a
pass ("yesterday" too) and cuts the sentences anew; CorrectnessEvaluator gives marks from 1 to 5, and its parser fails
on a reply of one line. With a prompt and a parser of our own, and a class that makes rag.llm one of their models, they
are more code than this file, and two calls for an answer instead of one.
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evals.cases import Case
from prompts import prompt
from rag.llm import Model, ModelError, complete
from rag.types import Answer, Usage

LONGEST_REPLY = 20_000  # characters that are looked at, the last ones: the verdict comes after any thinking aloud
LONGEST_REASON = 500  # characters


@dataclass(frozen=True)
class Judgement:
    """The verdicts on an answer. Both are None when no verdict came; `reason` then says why."""

    correct: bool | None  # against the accepted strings and the evidence
    faithful: bool | None  # against the cited sentences
    reason: str
    usage: Usage | None = None


def judge(case: Case, answer: Answer, model: Model) -> Judgement:
    """What the model says of an answer that is not a refusal."""
    try:
        reply, usage = complete(model, messages(case, answer), time.monotonic() + model.seconds)
    except ModelError as error:
        return Judgement(None, None, str(error))
    return judgement(reply, usage)


def messages(case: Case, answer: Answer) -> list[dict[str, str]]:
    """The chat messages. The material goes as JSON, so that no text in it can pass for another part of it."""
    material: dict[str, Any] = {
        "question": case.question,
        "conversation": [{"question": turn.question, "answer": turn.answer} for turn in case.history],
        "accepted_answers": case.answers,
        "evidence": [piece.text for piece in case.evidence],
        "answer": answer.text,
        "cited": [
            {key: getattr(citation, key) for key in ("number", "text", "title", "publisher", "date")}
            for citation in answer.citations
        ],
    }
    asked = json.dumps(material, ensure_ascii=False, indent=1)
    return [{"role": "system", "content": prompt("judge")}, {"role": "user", "content": asked}]


def judgement(reply: str, usage: Usage | None = None) -> Judgement:
    """The verdicts of a reply, whatever stands around them. Two that differ are none: one may be repeated from the
    answer."""
    found = list(_verdicts(re.sub(r"<think>.*?</think>|^.*</think>", "", reply, flags=re.DOTALL)[-LONGEST_REPLY:]))
    if len({(verdict["correct"], verdict["faithful"]) for verdict in found}) != 1:
        return Judgement(
            None, None, "the reply holds verdicts that differ" if found else "the reply holds no verdict", usage
        )
    told = found[-1].get("reason")
    reason = " ".join(told.split())[:LONGEST_REASON] if isinstance(told, str) else ""
    return Judgement(found[-1]["correct"], found[-1]["faithful"], reason, usage)


def _verdicts(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a text that hold both verdicts."""
    decoder = json.JSONDecoder()
    for brace in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if all(isinstance(value.get(key), bool) for key in ("correct", "faithful")):
            yield value
