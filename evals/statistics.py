"""Means with their intervals, percentiles, and the agreement of two judges."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt


@dataclass(frozen=True)
class Rate:
    """Mean of a metric over the `n` cases that it applies to, with its 95 % interval."""

    value: float
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson score interval (Wilson 1927; Brown, Cai and DasGupta 2001), z = 1.96.

        For metrics between 0 and 1 it is wider than needed: their variance is below that of a yes or no.
        """
        z2 = 1.96**2
        middle = (self.value + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = 1.96 * sqrt(self.value * (1 - self.value) / self.n + z2 / (4 * self.n**2)) / (1 + z2 / self.n)
        return max(0.0, middle - half), min(1.0, middle + half)


def mean(values: Iterable[float | None]) -> Rate | None:
    """The rate of the values that are not None; None when there is none."""
    known = [value for value in values if value is not None]
    return Rate(sum(known) / len(known), len(known)) if known else None


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Nearest-rank percentile of a sorted, non-empty sequence."""
    return ordered[max(1, ceil(percent / 100 * len(ordered))) - 1]


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """Cohen's kappa (Cohen 1960) of two judges: 1 is full agreement, 0 what chance gives.

    None where it is not defined: without pairs, or when both say the same of all.
    """
    if not pairs:
        return None
    observed = sum(one == other for one, other in pairs) / len(pairs)
    yes, other_yes = (sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1))
    chance = yes * other_yes + (1 - yes) * (1 - other_yes)
    return (observed - chance) / (1 - chance) if chance < 1 else None
