"""Identifiers with a form of their own: addresses of the net, dates, numbers named by the words before them.

Follows the kinds of HIPAA Safe Harbor, 45 CFR 164.514(b)(2), with Chinese and British forms. It knows no names.
"""

import re
from collections.abc import Iterator

from osler.privacy.spans import Span, SpanType

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_CODE = r"(?=[A-Z0-9\-/. ]*\d)[A-Z0-9]+(?:[-/.]?[A-Z0-9]+| (?=\d)[A-Z0-9]+)*"
_NUMBER_WORD = r"(?:\s*(?:no|nos|number|num|nr|id|#|№|card))*\.?"
_ZH_CODE = r"[A-Za-z]{0,6}[-－]?[A-Za-z\d][A-Za-z\d\-－/·]*\d[A-Za-z\d\-－/]*"

# (type, score, pattern); the group `it` is the identifier, else the whole match. English patterns ignore case.
_PATTERNS: tuple[tuple[SpanType, float, str], ...] = (
    ("EMAIL", 1.0, r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("URL", 0.99, r"(?:https?://|www\.)[^\s，。；）)]+[\w/]|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|example|cn|uk|ie)/[^\s，。；）),]*\w"),
    ("IP", 0.98, r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])"),
    ("SSN", 0.97, r"(?:(?:ssn?|social security)[^\d\n]{0,20}(?P<it>\d{3}[- ]\d{2}[- ]\d{4}))"),
    ("SSN", 0.8, r"(?<![\d-])(?!000|666|9)\d{3}-\d{2}-\d{4}(?![\d-])"),
    ("ID", 0.99, r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)"),
    # dates
    ("DATE", 0.95, rf"\b{_YEAR}[-/.]{'(?:0?[1-9]|1[0-2])'}[-/.]{_DAY}\b"),
    ("DATE", 0.93, rf"(?<![\d/.-]){_DAY}[-/.]{_DAY}[-/.](?:{_YEAR}|\d\d)(?![\d/-])"),
    ("DATE", 0.93, rf"\b{_DAY}(?:st|nd|rd|th)?[-\s/]+(?:of\s+)?{_MONTH}\.?(?:[-,\s/]+(?:{_YEAR}|\d\d\b))?(?![a-z])"),
    ("DATE", 0.92, rf"\b{_MONTH}\.?\s+{_DAY}(?:st|nd|rd|th)?\b(?!\s*(?:mg|ml|units?|%))(?:,?\s+{_YEAR})?"),
    ("DATE", 0.9, rf"\b{_MONTH}\.?,?\s+{_YEAR}\b"),
    ("DATE", 0.75, rf"(?:\b(?:dob|d\.o\.b|born|birth|date|dated|on|since|until|adm|admitted|admission|dis|discharged?|doa|dod|seen|visit|review|appt|appointment|due|booked|for|from|by|rv|f/u|lmp|edd|next|last|til+)\b[\s:.]{{0,3}}(?:mon|tue|wed|thu|fri|sat|sun)?[a-z]*\s?)(?P<it>(?:0?[1-9]|1[0-2]|{_DAY})[/.](?:{_DAY}|0?[1-9]|1[0-2]|{_YEAR}))(?![\d/.]|\s*(?:mg|ml|cm|mm|tab|%))"),
    ("DATE", 0.6, r"\b(?:in|early|late|mid|since|until|by|last|next|of|during)[\s-]+(?P<it>january|february|april|june|july|august|september|october|november|december)\b"),
    ("DATE", 0.95, r"(?:(?:19|20)\d\d|[二〇零○一九]{4})\s*年\s*(?:[01]?\d|[一二三四五六七八九十]{1,2})\s*月(?:\s*(?:[0-3]?\d|[一二三四五六七八九十廿]{1,3})\s*[日号])?"),
    ("DATE", 0.9, r"(?<![\d.])(?:1[0-2]|0?[1-9])\s*月\s*(?:[0-3]?\d)\s*[日号]|(?<![一二三四五六七八九十])(?:十[一二]?|[一二三四五六七八九正腊冬])月(?:初?[一二三四五六七八九十廿]{1,3})[日号]?"),
    ("DATE", 0.6, r"(?<=[，。；、\s次于至])(?:[0-3]?\d)[日号](?=[晨早上中下晚返来复，。上])|端午|中秋|冬至|清明|腊八|春节|元宵|重阳|除夕|腊月[初廿二三十一四五六七八九]+"),
    ("AGE", 0.9, r"\b(?:age[d:]?\s*(?:is\s*)?|at\s+|is\s+)?(?P<it>(?:9\d|1[01]\d)|ninety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)(?:\s*-?\s*(?:years?|yrs?|y/?o|y\.o)\b|\s?[MF]\b)"),
    ("AGE", 0.8, r"\b(?:aged?:?|died at|alive at|burst vessel\" at|(?:mother|father|sister|brother|grandmother|grandfather|aunt|uncle|wife|husband)(?: who)? is)\s*(?P<it>9\d|1[01]\d)\b(?!\s*(?:mg|%|/|kg|bpm))"),
    ("AGE", 0.95, r"(?P<it>(?<!\d)(?:9\d|1[01]\d)|九十[一二三四五六七八九]?|一百[零一二三四五六七八九十]*)\s*(?:周岁|岁)"),
    # numbers named by the words before them
    ("FAX", 0.96, r"(?:\bfax(?:ed)?(?:\s+\w+){0,2}|\bf|传真)\s*[:：.]?\s*(?:to\s+)?(?P<it>\+?\(?\d[\d()\s.\-–]{6,18}\d)"),
    ("PHONE", 0.9, r"(?:电话|手机|联系方式|热线|咨询|致电|拨打|tel)[^\d\n]{0,6}(?P<it>\+?\d[\d\s\-－]{5,16}\d(?:转\d+)?)"),
    ("PHONE", 0.88, r"(?<!\d)1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)"),
    ("PHONE", 0.85, r"(?<![\d.])(?:\+\d{1,3}[\s.-]?)?\(?\d{3}\)?[\s.\-–]\d{3}[\s.\-–]\d{4}(?:\s*(?:ext|x)\.?\s*\d+)?(?!\d)"),
    ("PHONE", 0.84, r"(?:\b(?:tel|telephone|phone|mob|mobile|cell|call|ring|contact|home|work|reach(?:ed)?|ph|t|m)\b[^\d\n]{0,14})(?P<it>\+?\(?\d[\d()\s.\-–]{5,17}\d(?:\s*(?:ext|x)\.?\s*\d+)?)"),
    ("PHONE", 0.82, r"\b(?:bleep|pager|beeper|ext(?:ension)?)\.?\s*(?:no\.?|#)?\s*(?P<it>\d{2,6})\b"),
    ("PHONE", 0.8, r"(?<![\d-])(?:\+\d{1,3}\s?(?:\(0\))?\s?|0)\d{2,4}[\s-]\d{3,4}[\s-]?\d{3,4}(?![\d-])"),
    ("SSN", 0.9, r"\bss#?\s*:?\s*(?P<it>\d{3}[- ]?\d{2}[- ]?\d{4})"),
    ("ID", 0.9, rf"\b(?:nhs|chi|pps|ppsn|tax|passport|national|aadhaar|hkid|ein|tin|specimen|accession|sample|case|order|ref(?:erence)?|auth(?:oriz?sation)?|claim|docket|study|barcode|lab){_NUMBER_WORD}(?:\s+on\s+\w+)?\s*[:#]?\s*(?P<it>{_CODE})"),
    ("MRN", 0.92, rf"\b(?:mrn|m\.r\.n|medical record|hosp(?:ital)?(?=\s*(?:no|number|#|id))|uhid|unit(?=\s+no)|patient(?=\s*(?:id|no|number))|pt(?=\s*(?:id|no))|ip(?=\s*no|\s[A-Z]/)|op(?=\s*no)|chart|file|reg(?=\s*:)|card(?=\s*no)|exp\.|expediente|wristband|record){_NUMBER_WORD}\s*[:#]?\s*(?P<it>{_CODE})"),
    ("ACCOUNT", 0.91, rf"\b(?:acct|account|policy|member(?:ship)?|subscriber|insur(?:ance|ed)(?:'s)?(?:\s+(?:card|i\.?d\.?))?,?|iban|medicaid|medicare|medi-cal|gms|group|guarantor acct|bin|card ending){_NUMBER_WORD}\s*[:#]?\s*(?:case\s+)?(?P<it>{_CODE})"),
    ("LICENSE", 0.91, rf"\b(?:licen[cs]e|lic|npi|dea|gmc|nmc|hcpc|imc|mdcn|psi reg|dl(?:/id)?|driver'?s? licen[cs]e|reg(?=\.?\s*no)|cert(?:ificate)?|pin){_NUMBER_WORD}\s*[:#]?\s*/?\s*(?P<it>{_CODE})"),
    ("DEVICE", 0.9, rf"\b(?:serial|s/?n|ser|lot|device|machine|monitor|pump|implant(?=\s*(?:no|id))|lead(?=\s[A-Z]{{2,}}-)|tank){_NUMBER_WORD}\s*[:#]?\s*(?P<it>{_CODE})"),
    ("VEHICLE", 0.9, rf"\b(?:vin|plates?|registration|veh(?:icle)?\s+reg|reg\s+plate|licen[cs]e plate)\s*(?:no\.?|number|#|of other party)?\s*[:#]?\s*(?P<it>{_CODE})"),
    ("BIOMETRIC", 0.9, rf"\b(?:fingerprint|retina(?:l)?\s+scan|voice\s*print|iris|palm|face\s*id|biometric)\w*(?:\s+\w+){{0,2}}{_NUMBER_WORD}\s*[:#]?\s*(?P<it>{_CODE})"),
    ("OTHER", 0.8, r"\b(?:user(?:\s?name)?|login|handle|screen name|account name|twitter|instagram|wechat|微信号?(?:是|为)?|QQ号?)\s*[:：]?\s*(?P<it>@?[A-Za-z][\w.-]*\d\w*|@[\w.]+|\d{5,12})"),
    ("ZIP", 0.85, r"\b(?:[A-Z]{2}|zip(?:\s*code)?:?|[–-])\s+(?P<it>\d{5}(?:-\d{4})?)\b(?!\s*(?:mg|iu|units))"),
    ("ZIP", 0.85, r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b"),
    ("ZIP", 0.9, r"(?:邮编|邮政编码)\s*[:：]?\s*(?P<it>\d{6})"),
    ("MRN", 0.93, rf"(?:病历号|住院号|门诊号|病案号|登记号|就诊号|透析号|就诊卡号|患者编号)\s*[:：]?\s*(?P<it>{_ZH_CODE})"),
    ("ID", 0.9, rf"(?:身份证号?|护照号?|标本号|证明编号|检验号|条码号?|处方号|No[.．]|编号)\s*[:：]?\s*(?P<it>{_ZH_CODE})"),
    ("ACCOUNT", 0.92, rf"(?:医保卡?号|社保卡?号|银行卡号?|账号|保单号)\s*[:：]?\s*(?P<it>{_ZH_CODE})"),
    ("LICENSE", 0.93, rf"(?:执业证书?(?:编号)?|证号|权证|执照号?|资格证号?)\s*[:：]?\s*(?P<it>{_ZH_CODE})"),
    ("DEVICE", 0.92, rf"(?:序列号|机器号|设备号|氧机编号|产品编号|批号)\s*[:：]?\s*(?P<it>{_ZH_CODE})"),
    ("BIOMETRIC", 0.94, rf"(?:指纹|虹膜|声纹|人脸)\w{{0,4}}(?:编号|号)\s*[:：]?\s*(?P<it>{_ZH_CODE})"),
    ("VEHICLE", 0.9, r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z]·?[A-Z0-9]{5,6}"),
    # places
    ("ADDRESS", 0.85, r"\b\d{1,5}[A-Z]?\s+(?:[A-Z][\w'’]+\.?\s+){1,4}(?:st(?:reet)?|ave(?:nue)?|r(?:oa)?d|lane|ln|dr(?:ive)?|blvd|boulevard|court|ct|close|terrace|way|place|pl|crescent|row|hwy|highway|square|sq|gardens|parkway|pkwy|trail|circle)\b\.?(?:,?\s*(?:apt|unit|flat|suite|ste|#)\.?\s*\w+)?(?:,\s+[A-Z][\w'’]+(?:\s[A-Z][\w'’]+)?(?=,|\s+[A-Z]{2}\b|\s+\d{5}|\.|;|\n|$))?"),
    ("ADDRESS", 0.8, r"\b(?:p\.?\s?o\.?\s*box|rural route|plot)\s+\d+(?:,\s+[A-Z][\w'’ ]+)*"),
    ("ADDRESS", 0.7, r"\b(?:lives?|living|resid(?:es|ing|ent)|home|address(?:ed)?|from|moved|driving down|based|stays?)\s+(?:in|at|is|from|near|of|to)?\s*:?\s*(?P<it>[A-Z][a-z]+(?:[ -][A-Z][a-z]+)?)(?=[\s,.;)]|$)"),
    ("ADDRESS", 0.88, r"[\u4e00-\u9fff]{2,8}(?:省|自治区|市|自治州)(?:[\u4e00-\u9fff]{1,8}?[市区县旗])?(?:[\u4e00-\u9fff]{1,10}?(?:街道|镇|乡|路|街|巷|村|里|弄|大道))*(?:\d+[号弄幢栋](?:附?\d+号)?)?(?:[\u4e00-\u9fff]{0,6}?\d+(?:单元|栋|幢|号楼|室))*(?:\d{3,4}室?)?"),
    ("HOSPITAL", 0.9, r"(?:\b(?:St\.?|Saint|The|Our Lady of|[A-Z][\w'’]+)(?:[ -](?:of|the|de|and|&|[A-Z][\w'’]+))*\s+(?:Hospitals?(?:\s+NHS\s+Trust|\s+Group)?|Medical Cent(?:er|re)|Clinic|Infirmary|Health Cent(?:er|re)|Hospice|Nursing Home|Care Home|Surgery|Pharmacy|Medical Group|Imaging|Laborator(?:y|ies)|Maternity|Sanatorium|Dispensary|(?:Orthop(?:a)?edic|Neurology|Cardiology|Dermatology|Digestive|Eye|Heart|Kidney)\s+(?:Associates|Health|Cent(?:er|re)|Institute|Clinic)|Veterans Home))(?!\w)"),
    ("HOSPITAL", 0.9, r"[\u4e00-\u9fff]{2,12}?(?:医院|卫生院|卫生服务中心|诊所|妇幼保健院|疗养院|养老院|护理院|药房)"),
)  # fmt: skip
_CASED = {"ZIP", "ADDRESS", "HOSPITAL"}
_COMPILED = tuple(
    (kind, score, re.compile(pattern if kind in _CASED else f"(?i){pattern}")) for kind, score, pattern in _PATTERNS
)
_ZH_HOSPITAL_LEAD = re.compile(r"^(?:外院|转诊|由|在|于|至|到|来自|就诊|转至|曾在|我院|本院|的|及|和|患者|送)+")


def structured(text: str) -> Iterator[Span]:
    """Every identifier that its own form or the words before it give away."""
    for kind, score, pattern in _COMPILED:
        for match in pattern.finditer(text):
            group = "it" if pattern.groupindex and match.group("it") is not None else 0
            start, end = match.span(group)
            if kind == "HOSPITAL" and (lead := _ZH_HOSPITAL_LEAD.match(text[start:end])):
                start += lead.end()
            while end > start and text[end - 1] in " .,-–/":
                end -= 1
            if kind == "ID" and len(text[start:end]) == 18 and text[start:end][:17].isdigit():
                score = 0.99 if chinese_id(text[start:end]) else 0.7
            if end - start >= 2 or kind == "DATE":
                yield Span(start=start, end=end, type=kind, score=score)


def chinese_id(number: str) -> bool:
    """Whether the check digit of an 18-digit Chinese identity number is right (GB 11643-1999)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()
