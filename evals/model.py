"""Results -> what a language model wrote and what it cost, and what another said of the answers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from evals.metrics import answer_right
from evals.run import SYSTEM, Result
from evals.statistics import Rate, kappa, mean
from rag.ask import INSTEAD
from rag.types import Usage, Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Spent:
    """Tokens and US dollars of some calls, as far as they are known."""

    calls: int
    counted: int  # calls of which the tokens are known
    input_tokens: int
    output_tokens: int
    priced: int  # calls of which the price is known
    dollars: float


@dataclass(frozen=True)
class Written:
    """What a model wrote. Claims and tokens are those of the answers that it wrote, not of those that fell back."""

    model: str
    answers: int
    verdicts: Mapping[Verdict, int]  # claims by verdict, all four
    fell_back: Mapping[str, int]  # why quotes were given instead -> answers
    ended_early: Mapping[str, int]  # why an answer is not whole -> answers
    spent: Spent


@dataclass(frozen=True)
class Judged:
    """What a judge said of the answers that are no refusals, and how far it agrees with the reference answers."""

    model: str
    correct: Rate | None
    faithful: Rate | None
    unjudged: Mapping[str, int]  # why there is no verdict -> answers
    agreement: Rate | None  # "correct" against "answer holds accepted string"
    kappa: float | None  # the same as Cohen's kappa
    spent: Spent


def written(results: Sequence[Result], model: str) -> Written:
    """The numbers of what `model` wrote."""
    answers = [result.outcomes[SYSTEM].answer for result in results]
    by_model = [answer for answer in answers if answer.mode == "model"]
    verdicts = Counter(claim.verdict for answer in by_model for claim in answer.claims)
    return Written(
        model,
        len(by_model),
        {verdict: verdicts[verdict] for verdict in VERDICTS},
        _counted((answer.notice or "no reason").removeprefix(INSTEAD) for answer in answers if answer.mode == "quotes"),
        _counted(answer.notice for answer in by_model if answer.notice),
        spent(answer.usage for answer in by_model),
    )


def judged(results: Sequence[Result], model: str) -> Judged:
    """The numbers of what the judge `model` said."""
    pairs = [(result, result.judgement) for result in results if result.judgement]
    read = [(result, told) for result, told in pairs if told.correct is not None]
    rights = [(told.correct is True, answer_right(result.case, result.outcomes[SYSTEM])) for result, told in read]
    compared = [(said, right == 1) for said, right in rights if right is not None]
    return Judged(
        model,
        mean(told.correct for _, told in read),
        mean(told.faithful for _, told in read),
        _counted(told.reason for _, told in pairs if told.correct is None),
        mean(said == right for said, right in compared),
        kappa(compared),
        spent(told.usage for _, told in pairs),
    )


def spent(usages: Iterable[Usage | None]) -> Spent:
    """The sum of what is known of some calls."""
    calls = list(usages)
    tokens = [
        (usage.input_tokens, usage.output_tokens)
        for usage in calls
        if usage and usage.input_tokens is not None and usage.output_tokens is not None
    ]
    prices = [usage.dollars for usage in calls if usage and usage.dollars is not None]
    sent, received = (sum(pair[side] for pair in tokens) for side in (0, 1))
    return Spent(len(calls), len(tokens), sent, received, len(prices), sum(prices))


def _counted(reasons: Iterable[str]) -> Mapping[str, int]:
    """Most frequent first."""
    return dict(Counter(reasons).most_common())
