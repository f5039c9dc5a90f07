"""Items from clinical pictures: the diagnosis, a typical finding, what tells two diseases apart, what to seek next.

The key of a vignette must come first in Osler's own ranking and its distractors from the same differential. A next step
is keyed by expected information (`next_questions`), in the manner of key features (Page and Bordage 1995).
"""

import itertools
from collections.abc import Iterator, Sequence

from osler.education.quiz.material import USUAL, Draft, Material, Option, Sign, profiles
from osler.education.quiz.words import WORDS, capital, listed, people
from osler.knowledge.diagnosis import next_questions, rank
from osler.knowledge.diagnosis.index import room_words
from osler.nouns import RankedDisease

DIFFERENTIAL = 200  # ranked diseases that distractors are taken from
NEIGHBOURS = 25
MOST_TOLD, LEAST_TOLD = 7, 4  # findings of a vignette
SPECIFIC = 2  # of them that come with few diseases
LEAST_OTHERS, MOST_OTHERS = 3, 12
BRIEF = 3  # findings of a patient of whom little is known
TWICE = 8  # usual findings from which on a disease makes two patients
MARGIN = 0.35  # by which the key must lead a distractor, in points of the ranking's score
SHOWN = 3  # findings named in an explanation
WORTH = 0.25  # bits that the key of a next step settles at least
WEAKER = 0.5  # share of the key's expected information up to which a question is a distractor
REPEATED = 3  # items of a family on one disease
AGREE = 0.2  # difference of the share by curated rows and by all rows up to which a question is used
MEASURED = ("laboratory", "imaging", "test")
SPREAD = {"symptom": 3, "history": 1, "sign": 2, "laboratory": 1, "imaging": 1, "test": 1}


def vignettes(disease: str, material: Material) -> Iterator[Draft]:
    """A patient of the disease, and the diagnoses that come next in the ranking. Two patients at most."""
    signs = material.usual(disease)
    for left_out in (0, 2) if len(signs) >= TWICE else (0,):
        told = _told(signs[left_out:], material)
        draft = _vignette(disease, told, signs, material)
        if draft:
            yield draft


def _vignette(disease: str, told: list[Sign], signs: Sequence[Sign], material: Material) -> Draft | None:
    """The first enlargement of `told` by which the disease leads the ranking by a margin; None if none does."""
    spare = [sign for sign in signs if sign not in told and not _repeats(sign, told, material)]
    while told:
        ranked = _ranking(disease, told, material)
        specific = sum(not material.general(sign.code) for sign in told) >= SPECIFIC
        if len(told) >= LEAST_TOLD and specific and ranked and ranked[0].id == disease:
            others = list(itertools.islice(_other_diagnoses(disease, told, ranked, material), MOST_OTHERS))
            if len(others) >= LEAST_OTHERS:
                words = _words(material, "vignette")
                name, told_text = material.name(disease), listed([sign.text for sign in told], material.language)
                why = words["right"].format(told=told_text, name=name)
                rows = material.row(disease, "has_phenotype", [sign.code for sign in told])
                key = _claimed(material.option(disease, why, rows), disease, told[0], material)
                values = {"patient": describe(disease, told, material), "name": name}
                return Draft("vignette", disease, values, key, others, rows, material.names_of(disease))
        if not spare or len(told) >= MOST_TOLD:
            return None
        told = [*told, spare.pop(0)]
    return None


def _told(signs: Sequence[Sign], material: Material) -> list[Sign]:
    """A spread of the best findings over what is told, seen and measured."""
    found: list[Sign] = []
    for sign in signs:
        if _repeats(sign, found, material):
            continue
        if sum(other.kind == sign.kind for other in found) < SPREAD[sign.kind] and len(found) < 5:
            found.append(sign)
    return found


def _repeats(sign: Sign, told: Sequence[Sign], material: Material) -> bool:
    """Whether a finding is a broader or narrower form of one told."""
    return any(material.kin(sign.code, other.code) for other in told)


def _ranking(disease: str, told: Sequence[Sign], material: Material) -> list[RankedDisease]:
    sex, age = patient(disease)
    general = disease in profiles()
    found = rank([sign.code for sign in told], [], sex, age, top=DIFFERENTIAL, general=general)
    about = {"observed": [sign.code for sign in told], "sex": sex, "age": age, "general": general}
    material.run.note("diagnosis.rank", about, [[item.id, round(item.score, 9)] for item in found])
    return found


def _other_diagnoses(
    disease: str, told: Sequence[Sign], ranked: Sequence[RankedDisease], material: Material
) -> Iterator[Option]:
    """Diagnoses of the ranking that are not also right: well behind the key, no kin of it, lacking something told."""
    said, taken = people(material.language), [disease]
    for item in ranked[1:]:
        if ranked[0].score - item.score < MARGIN or not alike(item.id, disease) or not material.named(item.id):
            continue
        if any(material.kin(item.id, other) for other in taken) or _told_of(item.id, told, material):
            continue
        name = material.name(item.id)
        lacking = [sign.text for sign in told if material.lacks(item.id, sign.code)][:SHOWN]
        known = {sign.code for sign in told}
        expected = [
            sign
            for sign in material.usual(item.id)
            if sign.code not in known and material.share(disease, sign.code) < USUAL
        ][:SHOWN]
        if not lacking or not expected:
            continue
        findings = listed([sign.text for sign in expected], material.language)
        why = [
            said["lacking"].format(name=name, findings=listed(lacking, material.language)),
            said["expected"].format(findings=findings),
        ]
        taken.append(item.id)
        evidence = material.row(item.id, "has_phenotype", [sign.code for sign in expected])
        yield material.option(item.id, (" " if material.language == "en" else "").join(why), evidence)


def _told_of(disease: str, told: Sequence[Sign], material: Material) -> bool:
    """Whether a patient's findings name a disease."""
    return any(material.gives_away(disease, sign.code, sign.text) for sign in told)


def typical(disease: str, material: Material) -> Iterator[Draft]:
    """A finding of the disease among findings of its neighbours that it lacks."""
    words, name = _words(material, "typical"), material.name(disease)
    for sign in material.usual(disease)[:REPEATED]:
        others: list[Option] = []
        for neighbour in neighbours(disease, material):
            if material.kin(disease, neighbour):
                continue
            for foreign in material.usual(neighbour)[:6]:
                if not _fits(foreign, sign, others, material) or not material.lacks(disease, foreign.code):
                    continue
                said = {
                    "Option": capital(foreign.text), "name": name, "other": material.name(neighbour),
                    "often": material.often(neighbour, foreign.code),
                }  # fmt: skip
                rows = material.row(neighbour, "has_phenotype", [foreign.code])
                option = material.option(foreign.code, words["wrong"].format(**said), rows, foreign.text)
                others.append(_claimed(option, disease, foreign, material))
                break
        rows = material.row(disease, "has_phenotype", [sign.code])
        said = {"Option": capital(sign.text), "name": name, "often": material.often(disease, sign.code)}
        key = _claimed(
            material.option(sign.code, words["right"].format(**said), rows, sign.text), disease, sign, material
        )
        yield Draft("typical", f"{disease} {sign.code}", {"name": name}, key, others, rows)


def apart(disease: str, material: Material) -> Iterator[Draft]:
    """What speaks for a disease rather than for a neighbour of it: found in it and not described in the other."""
    words, name = _words(material, "apart"), material.name(disease)
    for neighbour in neighbours(disease, material)[:4]:
        if material.kin(disease, neighbour):
            continue
        mine, theirs = material.usual(disease), material.usual(neighbour)
        shared = [
            sign for sign in material.signs(disease) if material.share(neighbour, sign.code) >= USUAL <= sign.share
        ]
        shared = [sign for sign in shared if not material.gives_away(disease, sign.code)]
        shared = [sign for sign in shared if not material.gives_away(neighbour, sign.code)]
        keys = [sign for sign in mine if material.lacks(neighbour, sign.code)]
        if not shared or not keys:
            continue
        key_sign, told, other = keys[0], shared[0], material.name(neighbour)
        said = {"name": name, "other": other, "shared": told.text}
        options: list[Option] = []
        for sign in [*shared[1:3], *[s for s in theirs if material.lacks(disease, s.code)]]:
            if not _fits(sign, key_sign, options, material):
                continue
            both = sign in shared
            text = words["both" if both else "wrong"].format(
                Option=capital(sign.text), often=material.often(neighbour, sign.code), **said
            )
            rows = material.row(neighbour, "has_phenotype", [sign.code])
            rows += material.row(disease, "has_phenotype", [sign.code]) if both else []
            option = material.option(sign.code, text, rows, sign.text)
            options.append(option if both else _claimed(option, disease, sign, material))
        why = words["right"].format(Option=capital(key_sign.text), often=material.often(disease, key_sign.code), **said)
        rows = material.row(disease, "has_phenotype", [key_sign.code])
        key = material.option(key_sign.code, why, rows, key_sign.text)
        yield Draft("apart", f"{disease} {neighbour}", said, key, options, rows)


def next_step(disease: str, material: Material) -> Iterator[Draft]:
    """What to seek next in a patient of whom little is known, keyed by expected information."""
    words, language = _words(material, "next"), material.language
    signs = [sign for sign in material.usual(disease) if sign.kind in ("symptom", "sign")][:BRIEF]
    if len(signs) < 2:
        return
    sex, _ = patient(disease)
    ranked = _ranking(disease, signs, material)
    ranked = [item for item in ranked if material.named(item.id) and alike(item.id, disease)]
    ranked = [item for item in ranked if not _told_of(item.id, signs, material)]
    leaders: list[RankedDisease] = []
    for item in ranked[:8]:
        if not any(material.kin(item.id, other.id) for other in leaders) and len(leaders) < 3:
            leaders.append(item)
    if disease not in [item.id for item in leaders] or len(leaders) < 3:
        return
    asked = next_questions([sign.code for sign in signs], [], leaders, 10, language, sex)
    asked = [item for item in asked if material.named(item.code) and not material.general(item.code)]
    asked = [item for item in asked if not any(material.gives_away(d.id, item.code) for d in leaders)]
    asked = [item for item in asked if all(_curated(d.id, item.code, material) for d in leaders)]
    options: list[Option] = []
    for question in asked:
        shares = [
            words["share"].format(name=material.name(d.id), often=material.often(d.id, question.code)) for d in leaders
        ]
        bits = f"{question.expected_information:.2f}"
        form = words["wrong" if options else "right"]
        why = form.format(option=material.name(question.code), bits=bits, shares=listed(shares, language))
        rows = [row for d in leaders for row in material.row(d.id, "has_phenotype", [question.code])]
        weak = question.expected_information <= WEAKER * asked[0].expected_information
        if not options or (weak and not any(material.kin(question.code, other.about) for other in options)):
            options.append(material.option(question.code, why, rows))
    if len(options) > 2 and asked[0].expected_information >= WORTH:
        names = listed([material.name(item.id) for item in leaders], language)
        values = {"patient": describe(disease, signs, material), "leaders": names}
        yield Draft("next", disease, values, options[0], options[1:], options[0].evidence)


def patient(disease: str) -> tuple[str | None, str | None]:
    """Sex and age (ISO 8601) of a usual patient; None where the disease has no profile or no preference."""
    profile = profiles().get(disease)
    if profile is None or not profile.ages:
        return (profile.sex or None) if profile else None, None
    low, high = room_words()["years"][profile.ages[len(profile.ages) // 2]]
    spread = sum(map(ord, disease)) % 10 / 10
    years = low + (min(high, 85.0) - low) * (0.2 + 0.6 * spread)
    sex = profile.sex or ("female", "male")[sum(map(ord, disease)) % 2]
    return sex, f"P{round(years)}Y" if years >= 2 else f"P{max(1, round(years * 12))}M"


def describe(disease: str, told: Sequence[Sign], material: Material) -> str:
    """A patient in sentences: who, what is complained of, what is found."""
    said, (sex, age) = people(material.language), patient(disease)
    if age is None:
        person = said["person"]["nobody"]
    else:
        number = int(age[1:-1])
        young = age.endswith("M") or number < 18
        whose = {"male": "boy", "female": "girl"}.get(sex or "", "child") if young else sex or "other"
        form = said["person"]["month" if age.endswith("M") else "adult"]
        person = form.format(age=number, who=said["who"][whose])
    by_kind: dict[str, list[str]] = {}
    for sign in told:
        by_kind.setdefault(sign.kind, []).append(sign.text)
    first = "symptom" if "symptom" in by_kind else next(iter(by_kind))
    article = "An" if person.startswith(("8", "11-", "18-")) else "A"
    if "history" in by_kind:
        by_kind["history"] = [text.removesuffix(" history").removeprefix("history of ") for text in by_kind["history"]]
    phrases = {kind: listed(texts, material.language) for kind, texts in by_kind.items()}
    sentences = [said["patient"].format(A=article, person=person, symptom=phrases.pop(first))]
    sentences += [said[kind].format(**{kind: phrases[kind]}) for kind in SPREAD if kind in phrases]
    return (" " if material.language == "en" else "").join(sentences)


def neighbours(disease: str, material: Material) -> list[str]:
    """Diseases of the same kind that the usual findings of a disease bring up, the nearest first."""
    signs = material.usual(disease)[:6]
    if len(signs) < 2:
        return []
    ranked = _ranking(disease, signs, material)
    found = (d.id for d in ranked if d.id != disease and alike(d.id, disease) and material.named(d.id))
    return list(itertools.islice(found, NEIGHBOURS))


def alike(a: str, b: str) -> bool:
    """Whether two diseases can stand side by side: both such as are seen every day, or both rare."""
    known = [profiles().get(disease) for disease in (a, b)]
    first, second = (profile is not None and profile.frequency != "rare" for profile in known)
    return first == second


def _curated(disease: str, code: str, material: Material) -> bool:
    """Whether curated rows say of a finding what all rows together say."""
    share = max((sign.share for sign in material.signs(disease) if sign.code == code), default=0.0)
    return abs(share - material.share(disease, code)) <= AGREE


def _fits(sign: Sign, key: Sign, options: Sequence[Option], material: Material) -> bool:
    """Whether a finding can stand beside the key: told, seen or measured like it, and no kin of it or an option."""
    alike = (sign.kind in MEASURED) == (key.kind in MEASURED)
    return alike and not any(
        material.kin(sign.code, code) for code in (key.code, *(option.about for option in options))
    )


def _claimed(option: Option, disease: str, sign: Sign, material: Material) -> Option:
    """The option with the claim that its being right would make."""
    label = material.graph.label(disease)
    option.claim, option.names = f"{material.graph.label(sign.code)} occurs in {label}.", (disease, sign.code)
    return option


def _words(material: Material, family: str) -> dict[str, str]:
    found: dict[str, str] = WORDS["families"][family][material.language]
    return found
