"""Decides, once for every data set, which items train, which tune and which report.

An item's part follows from a hash of its group (the vignette, note, disease or document that must not be
torn apart) and from nothing else, so adding items never moves others. It does not know the files.
"""

import hashlib
from typing import Literal

Part = Literal["train", "tune", "report"]

# Shares of train, tune and report in percent, and what `group` must be for the set.
SHARES: dict[str, tuple[int, int, int, str]] = {
    # sets of this project (tests/sets), written before the rules they judge
    "context": (0, 50, 50, "text"),
    "verification": (0, 50, 50, "evidence text"),
    "red_flags": (0, 50, 50, "condition"),
    "vignettes": (0, 40, 60, "diagnosis"),
    "deid_notes": (0, 50, 50, "id"),
    "chest_labels": (0, 50, 50, "text"),
    "benign_lookalikes": (0, 0, 100, "id"),
    "rubric": (0, 0, 100, "id"),
    # second sets by another hand, written when the first ones had been reported on several times
    "context_2": (0, 30, 70, "text"),
    "concept_phrases": (0, 40, 60, "id"),
    "verification_2": (0, 40, 60, "evidence text"),
    "verification_3": (0, 50, 50, "evidence text"),
    "injections": (0, 30, 70, "id"),
    "red_flags_2": (0, 40, 60, "condition"),
    "red_flags_3": (0, 30, 70, "condition"),
    # concepts
    "gsc_plus": (0, 50, 50, "id"),
    "phenobert_val": (0, 100, 0, "id"),
    "ncbi_disease_dev": (0, 50, 50, "id"),
    "bc5cdr_dev": (0, 50, 50, "id"),
    # diagnosis: see fold()
    "agentclinic_medqa": (0, 40, 60, "vignette"),
    # retrieval
    "bioasq_dev": (40, 10, 50, "query id"),
    "nfcorpus_lc": (0, 0, 100, "query id"),
    "zh_im": (0, 30, 70, "query id"),
    # questions
    "bioasq_yesno_dev": (0, 30, 70, "id"),
    "cmexam_dev": (50, 10, 40, "id"),
    "cmmlu_medical_dev": (0, 0, 100, "id"),
    "medcalc": (0, 0, 100, "calculator id"),
    "medec_val": (40, 20, 40, "base note"),
    "medhalt_fake": (0, 30, 70, "id"),
    "medicationqa": (0, 50, 50, "id"),
    "medmcqa_dev": (50, 10, 40, "id"),
    "medqa_us_dev": (0, 50, 50, "id"),
    "mmlu_medical": (0, 20, 80, "first 160 characters of the question"),
    "pubmedqa_dev": (40, 20, 40, "pubid"),
    # adaptation
    "bentsao_zh": (90, 10, 0, "instruction"),
    "huatuo_o1_demo": (90, 10, 0, "id"),
    "medquad_qa": (90, 10, 0, "document_id"),
    "medsafety_train": (60, 20, 20, "id"),
    # notes, de-identification, images, fairness
    "acibench_train": (80, 20, 0, "encounter_id"),
    "acibench_valid": (0, 0, 100, "encounter_id"),
    "mtsdialog_train": (80, 20, 0, "ID"),
    "mtsdialog_valid": (0, 0, 100, "ID"),
    "asq_phi_dev": (0, 50, 50, "id"),
    "meddocan_train": (0, 100, 0, "id"),
    "meddocan_dev": (0, 0, 100, "id"),
    "presidio_synth": (0, 50, 50, "template_id"),
    "vqa_rad": (60, 20, 20, "image_name"),
    "busi_dev": (60, 20, 20, "near_duplicate_group"),
    "bbq_dev": (0, 30, 70, "question template"),
    "ddinter_dev": (0, 0, 100, "pair"),
}


def _bucket(data_set: str, group: str, buckets: int) -> int:
    digest = hashlib.sha256(f"{data_set}\x1f{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % buckets


def split(data_set: str, group: str) -> Part:
    """The part that items of `group` belong to. Raises KeyError for a data set without a decision here."""
    train, tune, _, _ = SHARES[data_set]
    bucket = _bucket(data_set, str(group), 100)
    return "train" if bucket < train else "tune" if bucket < train + tune else "report"


def fold(data_set: str, group: str, folds: int = 5) -> int:
    """The cross-validation fold of `group`, 0 to folds-1 (phenopackets_dev: group is the MONDO id)."""
    return _bucket(f"{data_set}/fold", str(group), folds)
