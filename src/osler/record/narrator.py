"""Who tells: a call about a relative ("my husband's been stung", 我爸五十八) has that relative as its patient.

It looks at the opening alone, and at whether the teller complains of an illness of their own.
"""

import re

_KIN = r"(?:husband|wife|mum|mom|mam|dad|son|daughter|nan|gran\w*|mother|father)"
# Only with "my" or "our" before them: a note of the ward may begin with the rest of them too.
_OURS = (
    r"(?:partner|baby|toddler|brother|sister|uncle|aunt|boyfriend|girlfriend|flatmate|friend|neighbou?r|lad|boy|girl|child|"
    r"little one|fella|\w+-(?:year|month|week)-old)"
)
_KIN_ZH = (
    "(?:老婆|爱人|媳妇|老公|丈夫|妻子|妈妈?|爸爸?|母亲|父亲|爷爷|奶奶|姥姥|姥爷|外婆|外公|儿子|女儿|闺女|孩子|宝宝|娃|哥哥?|姐姐?|弟弟?|"
    "妹妹?|老伴|老爷子|老太太|婆婆|公公|岳父|岳母|室友|同事)"
)
_OPENING = re.compile(
    r"\W*(?:(?:hi|hello|help|please|doctor|sorry|look|it's|it is|this is|i'm|i am|call\w*|ringing|phoning|worried|"
    r"about|nursery|school)\W+){0,6}"
    rf"(?:(?:(?:my|me|our)\s+)?(?:(?:little|old|poor|elderly)\s+)*{_KIN}|(?:my|me|our)\s+(?:(?:little|old|poor)\s+)*{_OURS})\b"
    r"(?!\s+(?:had|died|passed|has a history|and|of|to|brings?|brought|reports?|states?|says)\b|\s*:)"
    rf"|(?:大夫|医生|你好|您好|喂|请问|[我俺咱]们?|家里?|[，,\s])*{_KIN_ZH}(?!的?(?:[有患曾均都诉代及和、]|死于|去世|病史|体健|健在))",
    re.IGNORECASE,
)
_OWN_COMPLAINT = re.compile(
    r"\bI (?:have|feel|felt|got|can't breathe|woke|am (?!ringing|calling|worried|phoning|her|his|with))"
    r"|\bI've (?:had|got|been)\b"
    r"|\bI'm (?!ringing|calling|worried|phoning|her|his|at|with|not|on the|scared|afraid|alone)|\b(?:hurts|pains?) me\b"
    r"|我(?:自己)?(?:今|昨|前天|现在|突|觉|感|发|头|胸|肚|胃|膝|眼|腿|左|右|也|怀)|患者|患儿|病人",
    re.IGNORECASE,
)


def spoken_for(text: str) -> re.Match[str] | None:
    """The opening that names the relative who is the patient; null where the teller or somebody else is."""
    opening = _OPENING.match(text)
    return None if opening is None or _OWN_COMPLAINT.search(text[:2000]) else opening
