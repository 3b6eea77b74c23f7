"""Claim, text -> the probability that the text says it, for claims in which nothing that can be looked up is wrong.

The reading model's third head alone takes what is near for what is said: it is weighed together with likeness in
meaning and shared words.
"""

import re
from math import exp, log

from index.embed import embed
from index.search import content_words
from rag.reader import entailment

# Weights of the signals and of 1 in the logit, fitted on training claims (`python -m rag.models.fit_support`) with the
# second version of the reading model; fitted anew they did worse (CHANGELOG).
SIGNALS = ("log supported", "log neither", "cosine", "shared words", "one")
WEIGHTS = (0.87, -0.51, 0.69, -1.11, -0.3)
LEAST = 1e-4  # probability: below it the model's logits mean nothing
_STEM = 5  # characters: German and Germany, Ukraine and Ukrainian


def probability(claim: str, heading: str, text: str) -> float:
    """Between 0 and 1. `heading` is that of the text's article."""
    logit = sum(weight * signal for weight, signal in zip(WEIGHTS, signals(claim, heading, text), strict=True))
    return 1 / (1 + exp(-logit))


def signals(claim: str, heading: str, text: str) -> tuple[float, ...]:
    """(5,) see SIGNALS."""
    supported, _, neither = entailment([(claim, heading, text)])[0].tolist()
    one, other = embed([claim, text])
    said, held = _stems(claim), _stems(f"{text} {heading}")
    shared = len(said & held) / len(said) if said else 0.0
    return log(max(supported, LEAST)), log(max(neither, LEAST)), float(one @ other), shared, 1.0


def _stems(text: str) -> set[str]:
    return {re.sub(r"\W", "", word)[:_STEM] for word in content_words(text)}
