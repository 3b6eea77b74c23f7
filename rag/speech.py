"""Who a sentence says its words are from: its speaker, and what is left when the attribution is taken away."""

import re

_SAID = (
    r"(?:said|says?|tells?|told|stat(?:ed|es)|add(?:ed|s)|warn(?:ed|s)|vow(?:ed|s)|claim(?:ed|s)|insist(?:ed|s)|"
    r"argu(?:ed|es)|den(?:ied|ies)|announc(?:ed|es)|declar(?:ed|es)|explain(?:ed|s)|not(?:ed|es)|(?:re)?iterat(?:ed|es)|"
    r"assur(?:ed|es)|acknowledg(?:ed|es)|accus(?:ed|es)|confirm(?:ed|s)|report(?:ed|s)|promis(?:ed|es)|"
    r"pledg(?:ed|es)|stress(?:ed|es)|emphasi[sz](?:ed|es)|predict(?:ed|s)|alleg(?:ed|es)|disput(?:ed|es)|"
    r"disagre(?:ed|es)|complain(?:ed|s)|demand(?:ed|s)|ask(?:ed|s)|inform(?:ed|s)|estimat(?:ed|es)|continued)"
)
_WHO = r"(?:(?:the|an?)\s+)?[^\W\d_][^\s,.;:“”\"]*(?:\s+[^\s,.;:“”\"]+){0,4}?"
_SUBJECT = rf"(?P<who>{_WHO})(?:,\s[^,“”\"]{{2,40}},)?\s+(?:also\s+|later\s+)?{_SAID}\b"  # Ann Poole, the mayor, said
_INVERTED = rf"{_SAID}\s+(?P<who>(?:[\w’'-]+\s+){{0,4}}?(?-i:[A-ZÀ-Þ])[\w’'-]+)(?=[,.;]|$)"  # said Ann Poole.
_ACCORDING = r"\b(?:according to|as per)\s+(?P<who>[^,.;“”\"]{2,60})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (rf"^{_SUBJECT}", rf"[,.!?]?[”\"]\s+{_SUBJECT}", rf"[,”\"]\s*{_INVERTED}", rf", {_SUBJECT}", _ACCORDING)
)
_THAT = re.compile(r"(?:\s+(?:late\s+)?on\s+\w+day)?(?:\s+that\b)?", re.IGNORECASE)
_SOMEBODY = re.compile(rf"\b{_SAID}\b|\baccording to\b|\bas per\b", re.IGNORECASE)


def speaker(text: str) -> str | None:
    """Whose words a sentence gives, in its own words: "The source said …", "… ,” said Ann Poole", "according to …"."""
    found = _attribution(text)
    return found["who"] if found else None


def _attribution(text: str) -> re.Match[str] | None:
    return next(filter(None, (form.search(text) for form in _FORMS)), None)


def is_reported(text: str) -> bool:
    """Whether a sentence gives somebody's words rather than its own."""
    return bool(_SOMEBODY.search(text))


def without_attribution(text: str) -> str:
    """A sentence without who says it, and when: who is quoted tells nothing about what happened."""
    found = _attribution(text)
    if found is None:
        return text
    end = _THAT.match(text, found.end())
    return f"{text[: found.start()]} {text[end.end() if end else found.end() :]}"


def asks_who_said(question: str) -> bool:
    """ "Who said that …", "Who in Paris warned of …"."""
    return bool(re.search(rf"\bwho\b.{{0,20}}\b{_SAID}\b", question, re.IGNORECASE))


def asked_for(question: str) -> str | None:
    """Whose words a question asks for: Putin in "List what President Putin told Macron"."""
    found = re.search(
        rf"\bwhat\s+(?:\w+\s+){{0,2}}?(?P<who>(?-i:[A-ZÀ-Þ])[\w’'-]+)\s+(?:\w+\s+)?{_SAID}\b", question, re.I
    )
    return found["who"] if found else None


def reports(name: str, text: str) -> bool:
    """Whether a sentence tells what somebody of that name said; "an aide to Macron said" does not."""
    said = rf"(?<!to )(?<!of )(?<!by )(?<!what )\b{re.escape(name)}(?:\s+\w+){{0,3}}?\s+{_SAID}\b"
    return bool(re.search(said, text, re.IGNORECASE))
