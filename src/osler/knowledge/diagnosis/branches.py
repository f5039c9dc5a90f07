"""How a finding comes to be known, by the branch of the HPO it is on: told, seen or measured.

A table of terms, the most specific one on a finding's branch deciding. It does not know local practice.
"""

from typing import Literal

QuestionKind = Literal["history", "examination", "test"]

BRANCHES: dict[str, QuestionKind] = {
    "HP:0000118": "examination",  # Phenotypic abnormality
    "HP:0032443": "history",  # Past medical history
    # told by the patient or the family
    "HP:0025142": "history",  # Constitutional symptom
    "HP:0012531": "history",  # Pain
    "HP:0000708": "history",  # Atypical behavior
    "HP:0012759": "history",  # Neurodevelopmental abnormality
    "HP:0012638": "history",  # Abnormal nervous system physiology
    "HP:0025032": "history",  # Abnormality of digestive system physiology
    "HP:0025031": "history",  # Abnormality of the digestive system
    "HP:0002086": "history",  # Abnormality of the respiratory system
    "HP:0002715": "history",  # Abnormality of the immune system
    "HP:0001197": "history",  # Abnormality of prenatal development or birth
    "HP:0000364": "history",  # Hearing abnormality
    "HP:0030680": "examination",  # Abnormal cardiovascular system morphology
    "HP:0011025": "examination",  # Abnormal cardiovascular system physiology
    "HP:0000504": "examination",  # Abnormality of vision
    "HP:0012373": "history",  # Abnormal eye physiology
    "HP:0000079": "history",  # Abnormality of the urinary system
    "HP:0000140": "history",  # Abnormality of the menstrual cycle
    "HP:0000144": "history",  # Decreased fertility
    "HP:0011842": "examination",  # Abnormal skeletal morphology
    "HP:0011947": "history",  # Respiratory tract infection
    "HP:0001824": "history",  # Weight loss
    "HP:0001962": "history",  # Palpitations
    "HP:0001279": "history",  # Syncope
    "HP:0000103": "history",  # Polyuria
    # seen on examination
    "HP:0000496": "examination",  # Abnormality of eye movement
    "HP:0000508": "examination",  # Ptosis
    "HP:0000539": "examination",  # Abnormality of refraction
    "HP:0011443": "examination",  # Abnormality of coordination
    "HP:0002493": "examination",  # Upper motor neuron dysfunction
    "HP:0000252": "examination",  # Microcephaly
    "HP:0010674": "examination",  # Abnormal curvature of the vertebral column
    "HP:0003271": "examination",  # Visceromegaly
    "HP:0000969": "examination",  # Edema
    "HP:0030972": "examination",  # Abnormal systemic blood pressure
    "HP:0001649": "examination",  # Tachycardia
    "HP:0000952": "examination",  # Jaundice
    "HP:0030828": "examination",  # Wheezing
    "HP:0001939": "test",  # Abnormality of metabolism/homeostasis
    "HP:0001945": "examination",  # Fever
    "HP:0004370": "examination",  # Abnormality of temperature regulation
    "HP:0000152": "examination",  # Abnormality of head or neck
    "HP:0001574": "examination",  # Abnormality of the integument
    "HP:0040064": "examination",  # Abnormality of limbs
    "HP:0001507": "examination",  # Growth abnormality
    "HP:0001252": "examination",  # Hypotonia
    "HP:0001288": "examination",  # Gait disturbance
    "HP:0001347": "examination",  # Hyperreflexia
    "HP:0011804": "examination",  # Abnormal muscle physiology
    "HP:0001392": "examination",  # Abnormality of the liver
    "HP:0100022": "examination",  # Abnormality of movement
    # measured or imaged
    "HP:0011675": "test",  # Arrhythmia
    "HP:0003110": "test",  # Abnormality of urine homeostasis
    "HP:0012718": "test",  # Abnormal gastrointestinal tract morphology
    "HP:0030962": "test",  # Abnormal morphology of the great vessels
    "HP:0001871": "test",  # Abnormality of blood and blood-forming tissues
    "HP:0025354": "test",  # Abnormal cellular phenotype
    "HP:0010987": "test",  # Abnormal cellular immune system morphology
    "HP:0012443": "test",  # Abnormality of brain morphology
    "HP:0012639": "test",  # Abnormal nervous system morphology
    "HP:0002353": "test",  # EEG abnormality
    "HP:0003457": "test",  # EMG abnormality
    "HP:0001627": "test",  # Abnormal heart morphology
    "HP:0002597": "test",  # Abnormality of the vasculature
    "HP:0003115": "test",  # Abnormal EKG
    "HP:0012210": "test",  # Abnormal renal morphology
    "HP:0012211": "test",  # Abnormal renal physiology
    "HP:0002088": "test",  # Abnormal lung morphology
    "HP:0410042": "test",  # Abnormal liver morphology
    "HP:0000818": "test",  # Abnormality of the endocrine system
    "HP:0002664": "test",  # Neoplasm
    "HP:0004329": "test",  # Abnormal posterior eye segment morphology
    "HP:0000925": "test",  # Abnormality of the vertebral column
    "HP:0000546": "test",  # Retinal degeneration
    "HP:0011400": "test",  # Abnormal CNS myelination
    "HP:0004303": "test",  # Abnormal muscle fiber morphology
    "HP:0003330": "test",  # Abnormal bone structure
    "HP:0000924": "examination",  # Abnormality of the skeletal system
}
FEMALE_ONLY = ("HP:0010460", "HP:0000140")  # female genitalia, menstrual cycle
MALE_ONLY = ("HP:0010461",)  # male genitalia
