"""Tokens -> dollars, for the models whose price is known."""

# US dollars for a million tokens in and out, from openai.com/api/pricing, October 2025. Others have no known price.
PRICES = {
    "gpt-5": (1.25, 10.0),
    "gpt-5-mini": (0.25, 2.0),
    "gpt-5-nano": (0.05, 0.4),
    "gpt-4.1-mini": (0.4, 1.6),
    "gpt-4o-mini": (0.15, 0.6),
}


def dollars(name: str, sent: int, received: int) -> float | None:
    """What a call of a model at OpenAI costs; None when its price is not known here."""
    price = PRICES.get(name)
    return (sent * price[0] + received * price[1]) / 1e6 if price else None
