"""Ask a folder of news articles; every sentence of the answer points at the exact sentence it comes from.

from rag import ask
answer = ask("How long did Putin and Macron speak on 3 March?")
print(answer.text, answer.citations[0].sentence)
"""

from index.errors import PinciteError
from rag.ask import ask, open_archive, stream
from rag.llm import Model
from rag.types import Answer, Citation, Claim, Disagreement, Side, Turn, Usage

__all__ = [
    "Answer",
    "Citation",
    "Claim",
    "Disagreement",
    "Model",
    "PinciteError",
    "Side",
    "Turn",
    "Usage",
    "ask",
    "open_archive",
    "stream",
]
