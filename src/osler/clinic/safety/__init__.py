"""What must not be missed in a case: red flags above the differential, and drug safety with its coverage."""

from osler.clinic.safety.drug_safety import DrugSafety, drug_safety
from osler.clinic.safety.red_flags import red_flags

__all__ = ["DrugSafety", "drug_safety", "red_flags"]
