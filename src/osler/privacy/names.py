"""Names of people, found by the words around them, then everywhere else they stand in the same text.

It has no list of names; common medical words and eponyms are kept out by what follows or by `known`, a predicate
that a caller may hand in.
"""

import re
from collections.abc import Callable, Iterator

from osler.privacy.spans import Span

_PART = r"(?:[A-Z][a-z'’]+(?:-[A-Z]?[a-z'’]+)*|[A-Z]['’][A-Z][a-z]+|Mc[A-Z][a-z]+|[A-Z]\.(?:\s?[A-Z]\.)*|[A-Z]{2,}(?:-[A-Z]+)*|[A-ZÀ-Þ][\wà-ÿ'’-]+)"
_PARTICLE = r"(?:de la|de los|van der|van den|van|von|de|del|da|dos|du|la|le|al|el|bin|bint|ibn|Ní|Ó|ap|te|St\.?)"
_NAME = rf"{_PART}(?:[ ,]{{1,2}}(?:{_PARTICLE}\s)?{_PART}){{0,3}}"
_TITLE = (
    r"Dr|Drs|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Doctor|Sir|Dame|Rev|Fr|Sr|Sister|Nurse|RN|CNA|CNS|NP|PA|MA|HCA|SN|"
    r"S/N|ODP|Midwife|Chaplain|Pastor|Officer|Sgt|Captain|Lt|Col|Judge|Mum|Mom|Dad|Auntie|Aunt|Uncle|Nana|Gran|Lic|Sri|Smt|Baby|Lolo|Chief"
)
_RELATION = (
    r"wife|husband|spouse|partner|mother|father|mum|mom|dad|son|daughter|sister|brother|aunt|uncle|niece|nephew|cousin|"
    r"grandson|granddaughter|grandmother|grandfather|girlfriend|boyfriend|fianc[ée]e?|neighbour|neighbor|friend|carer|"
    r"caregiver|guardian|twin|roommate|colleague|ex|NOK|next of kin|interpreter|midwife|physio|pharmacist|"
    r"social worker|nurse|consultant|registrar|intern|resident|attending|surgeon|therapist|counsell?or|GP|PCP"
)
_LABEL = (
    r"patient(?: name)?|pt(?: name)?|name|surname|forename|first name|last name|full name|re|attn|attending|physician|"
    r"consultant|provider|referrer|referring(?: physician| provider)?|referred by|ordering provider|seen by|signed(?: by)?|author|"
    r"dictated by|reported by|informant|emergency contact|contact|guardian|parent|mother|father|next of kin|nok|"
    r"submitter|surgeon|assistant|an[a]?esthetist|nurse|clinician|radiologist|pathologist|aka|alias|infant|cc|"
    r"reviewed by|witness|interpreter|responsible party|guarantor|insured(?:'s name)?|gp|pcp|md|from|to|dear|by"
)
_DEGREE = r"MD|M\.D\.|DO|MBBS|MBChB|MB BCh|RN|BSN|LPN|NP|FNP|FNP-BC|PA|PA-C|PhD|FRCS|FRCP|MRCP|FACC|DDS|PharmD|RD|LCSW|CNM|DPT|CRNA"
_PATTERNS: tuple[tuple[float, str], ...] = (
    (0.95, rf"\b(?:{_TITLE})\b\.?\s+(?P<it>{_NAME})"),
    (0.9, rf"(?<![\w/])(?i:{_LABEL})\s*[:：]\s*(?:(?:{_TITLE})\b\.?\s+)?(?P<it>{_NAME})"),
    (0.9, rf"\b[Dd]ear\s+(?:(?:{_TITLE})\b\.?\s+)?(?P<it>{_NAME})"),
    (0.92, rf"(?P<it>{_NAME}),?\s+(?:{_DEGREE})\b"),
    (0.85, rf"\b(?i:{_RELATION})(?:'s)?[,:]?\s+\(?[\"“]?(?P<it>{_NAME})"),
    (0.85, rf"(?P<it>{_PART}(?:\s+(?:{_PARTICLE}\s)?{_PART}){{1,3}})\s*[,(]\s*(?:aged?\s*)?\d{{1,3}}\s*(?:[MF]\b|y|,|\)|yo|-year)"),
    (0.85, rf"(?:[Ss]incerely|[Rr]egards|[Ff]aithfully|[Tt]hank you|[Tt]hanks|[Ss]igned|[Bb]est wishes),?\s*\n+(?P<it>{_NAME})"),
    (0.8, r"\((?:aka\s+)?[\"“](?P<it>[A-Z][a-z]+)[\"”]\)|[\"“](?P<it2>[A-Z][a-z]+)[\"”](?=\s[A-Z])"),
    (0.75, rf"^(?P<it>{_PART}\s(?:{_PART}\s?){{1,2}})(?=,\s|\s+\d|\s*\n)"),
)  # fmt: skip
_COMPILED = tuple((score, re.compile(pattern, re.MULTILINE)) for score, pattern in _PATTERNS)
_LATER_LINE = re.compile(r"[^,]*\n")

# Words that begin with a capital in notes without naming anyone.
_NOT_A_NAME = frozenset(
    """the a an and or of in on at to for from by with was is are he she they his her their it we you this that patient pt no
    nil not none yes unknown mr mrs ms dr prof history exam examination review plan assessment impression diagnosis
    diagnoses date dob age sex male female man woman boy girl baby ward bed bay room clinic hospital unit centre center
    department dept emergency discharge admission summary letter report notes note form lab laboratory medical medicine
    surgery nursing nurse doctor consultant registrar surgeon physician gp pcp er ed icu itu ccu hdu nicu opd cdc who nhs
    bp hr rr ct mri ecg ekg cxr us uss fbc cbc lft tsh crp hb wbc na k cr ph mg ml iv im po bd tds qid prn stat sob cp
    left right bilateral upper lower chest abdomen head neck back pain fever cough type stage grade class group blood
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
    october november december allergies medications meds medicines social family past current reason results result
    mother father mum mom dad wife husband son daughter sister brother parent partner carer next kin informant contact
    parkinson parkinsons alzheimer alzheimers crohn crohns graves addison cushing wilson bell bells hodgkin kaposi foley
    glasgow apgar murphy homans babinski kernig brudzinski romberg kussmaul cheyne stokes lachman tinel phalen garden
    barthel rockwood wells ranson child pugh waterlow braden norton bristol lisfranc colles smith hickman doppler
    lipitor paxil allegra plan continue call return if please thank thanks dear regards sincerely yours copy cc re via
    tel fax phone mobile email address zip street road avenue lane city state county country tax specimen ref id mrn ssn
    npi license policy account member insurance medicaid medicare vehicle serial lot device home will may hope mark
    seen given taken told asked advised reports denies states complains presenting presented referred known well""".split()
)

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石"
    "姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂"
    "焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵"
    "解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕晋苑邬臧畅宫来嵺苟全褚廉简娄盖符奚木穆党燕郎邸冀谈姬屠连郜晏栾郁商蒙计喻揭窦迟宇敖糜鄢冷卓"
    "花仇艾蓝都巩稽井练仲乐虞卞封竺冼原官衣楚佟栗匡宗应台巫鞠僧桑荆谌银扬明沙薄伏岑习胥保和蔺麦拓晁"
)
_COMPOUND = "欧阳|司马|上官|诸葛|夏侯|皇甫|尉迟|公孙|慕容|长孙|宇文|司徒|令狐|万俟|呼延|拓跋|东方|西门|南宫|独孤|端木|百里|轩辕|闻人|申屠"
_ZH_FULL = rf"(?:(?:{_COMPOUND})[\u4e00-\u9fff]{{1,2}}|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})"
_ZH_ROLE = (
    "患者|病人|家属|姓名|医师|医生|护士|主任|教授|主管医师|主治医师|住院医师|责任护士|接诊医师|审核|送检|记录者?|签字|签名|联系人|丈夫|妻子|"
    "爱人|儿子|女儿|母亲|父亲|哥哥|姐姐|弟弟|妹妹|邻居|朋友|护工|监护人|受检者|申请医师|报告医师|取药人|转诊医师|长子|次子|孙子|孙女|保姆|同事|老伴"
)
_ZH_TITLE = "医生|医师|主任|教授|护士长?|老师|先生|女士|小姐|师傅|阿姨|大爷|大妈|婆婆|奶奶|爷爷|院长|科长|同学"
_ZH_PATTERNS = tuple(
    (score, re.compile(pattern))
    for score, pattern in (
        (
            0.93,
            rf"(?:姓名|{_ZH_ROLE})\s*[:：]?\s*(?P<it>{_ZH_FULL}?)(?=[\s，。、；,（(:：）)]|$|男|女|电话|手机|的|因|于)",
        ),
        (0.9, rf"(?P<it>{_ZH_FULL})(?=[，,、\s]{{1,2}}(?:男|女)|（(?:女|男)|[，,]\s*\d{{1,3}}岁)"),
        (0.85, rf"(?P<it>[{_SURNAMES}]|{_COMPOUND}|{_ZH_FULL})(?={_ZH_TITLE})"),
        (0.8, rf"(?<![\u4e00-\u9fff])(?P<it>[老小阿][{_SURNAMES}])(?=[\u4e00-\u9fff，。])"),
    )
)


def names(text: str, known: Callable[[str], bool] | None = None) -> list[Span]:
    """Names given away by a title, label, relation, degree or age beside them, and every other place they stand."""
    found = list(_cued(text, known or (lambda word: False)))
    found += _chinese(text)
    return found + _again(text, found)


def _cued(text: str, known: Callable[[str], bool]) -> Iterator[Span]:
    for score, pattern in _COMPILED:
        for match in pattern.finditer(text):
            group = next((name for name in ("it", "it2") if match.groupdict().get(name) is not None), None)
            if group is None:
                continue
            start, end = match.span(group)
            if (stop := text.find("\n", start, end)) >= 0:
                end = stop
            trimmed = _without_ordinary_words(text, start, end, known)
            if trimmed is not None:
                yield Span(start=trimmed[0], end=trimmed[1], type="NAME", score=score)


def _without_ordinary_words(text: str, start: int, end: int, known: Callable[[str], bool]) -> tuple[int, int] | None:
    """The span cut at the first word that names nobody; None if nothing is left."""
    words = list(re.finditer(r"[^\s,]+", text[start:end]))
    kept: list[re.Match[str]] = []
    for word in words:
        bare = word.group().strip(".'’:;()").lower().removesuffix("'s").removesuffix("’s")
        if bare in _NOT_A_NAME or known(bare):
            if kept:
                break
            continue
        kept.append(word)
    if not kept or not any(len(word.group().strip(".")) > 1 for word in kept):
        return None
    last = kept[-1].group()
    tail = 2 if last.endswith(("'s", "’s")) else len(last) - len(last.rstrip("'’;:"))
    return start + kept[0].start(), start + kept[-1].end() - tail


def _chinese(text: str) -> list[Span]:
    return [
        Span(start=match.start("it"), end=match.end("it"), type="NAME", score=score)
        for score, pattern in _ZH_PATTERNS
        for match in pattern.finditer(text)
    ]


def _again(text: str, found: list[Span]) -> list[Span]:
    """The other places where a found name, or a part of it, stands."""
    parts: set[str] = set()
    for span in found:
        whole = text[span.start : span.end]
        if re.search(r"[\u4e00-\u9fff]", whole):
            if len(whole) > 1:
                parts.add(whole)
        else:
            parts.update(part for part in re.split(r"[\s,]+", whole) if len(part.strip(".")) > 2)
    again: list[Span] = []
    for part in parts:
        chinese = re.search(r"[\u4e00-\u9fff]", part) is not None
        bound = re.escape(part) if chinese else rf"\b{re.escape(part)}\b"
        for match in re.finditer(bound, text) if chinese else re.finditer(bound, text, re.IGNORECASE):
            if chinese or match.group()[0].isupper():
                again.append(Span(start=match.start(), end=match.end(), type="NAME", score=0.7))
    return again
