"""Statements with the verdict they must get, written for these tests apart from the blind set in tests/sets."""

STATIN = (
    "Statins lower LDL cholesterol by inhibiting HMG-CoA reductase in the liver. Muscle pain is the most frequent side "
    "effect; rhabdomyolysis is rare. They should not be taken during pregnancy."
)
DIABETES = (
    "Type 1 diabetes is an autoimmune disease in which the beta cells of the pancreas are destroyed. It usually begins "
    "in childhood, and patients need insulin for life."
)
WARD = (
    "62M s/p R TKA POD#1. Pain 4/10 on oxycodone 5 mg q6h. Denies fever, chills. Hgb 10.2 (pre-op 12.9). Enoxaparin "
    "40 mg SC daily started. D/c home in 2 d if PT clears."
)
MEASLES = (
    "Measles is a highly contagious viral disease. The incubation period is 10 to 14 days. Vaccination with two doses "
    "prevents about 97 percent of cases. There is no specific antiviral treatment."
)
BREAST = "女，45岁，右乳肿物2月，大小约3cm，质硬，无压痛。乳腺超声提示BI-RADS 5类。拟行穿刺活检。否认家族史。"
KNEE = "Pt seen for knee pain. F/u 48h."
STREP = "Amoxicillin 500 mg TID x 7 days for strep throat. No rash."
BETA = "Beta blockers reduce heart rate and lower blood pressure by blocking adrenaline."
HEPATITIS = "Hepatitis B is spread through blood and body fluids. It is not spread by sneezing or coughing."
COUGH = "患者无发热，咳嗽5天，予阿莫西林0.5g每日三次口服。"

CASES = [
    (KNEE, "Follow-up in four hours.", "contradicted"),
    (KNEE, "Follow-up in two days.", "supported"),
    (KNEE, "Follow-up in 48 hours.", "supported"),
    (STREP, "Amoxicillin 500 mg three times daily for one week was prescribed.", "supported"),
    (STREP, "The patient developed a rash.", "contradicted"),
    (STREP, "Azithromycin 500 mg three times a day was prescribed.", "contradicted"),
    (STREP, "Amoxicillin was prescribed twice daily.", "contradicted"),
    ("Temp 39.4 C, HR 110.", "Temperature was 102.9 F.", "supported"),
    ("Temp 39.4 C, HR 110.", "Temperature was 98.6 F.", "contradicted"),
    ("CT: 2.5 cm mass in left kidney, no metastases.", "There is a 25 mm mass in the left kidney.", "supported"),
    ("CT: 2.5 cm mass in left kidney, no metastases.", "There is a 2.5 cm mass in the right kidney.", "contradicted"),
    (BETA, "Beta blockers increase heart rate.", "contradicted"),
    (BETA, "Beta blockers lower the heart rate.", "supported"),
    (BETA, "Beta blockers cause nightmares.", "unsupported"),
    (BETA, "Beta blockers reduce heart rate and cause nightmares.", "partial"),
    (HEPATITIS, "Hepatitis B is spread by coughing.", "contradicted"),
    (HEPATITIS, "Hepatitis B spreads through blood.", "supported"),
    ("The vaccine is given in 3 doses at 0, 1 and 6 months.", "The vaccine is given in two doses.", "contradicted"),
    ("Mother died of breast cancer at 45. Father alive.", "Her father died of breast cancer.", "contradicted"),
    (STATIN, "Statins work by blocking HMG-CoA reductase.", "supported"),
    (STATIN, "Pregnant women should not take statins.", "supported"),
    (STATIN, "Statins raise LDL cholesterol.", "contradicted"),
    (STATIN, "Statins cause headache in ten percent of patients.", "unsupported"),
    (STATIN, "Statins lower LDL cholesterol and prevent dementia.", "partial"),
    (DIABETES, "Type 1 diabetes typically starts in children.", "supported"),
    (DIABETES, "Type 2 diabetes is an autoimmune disease.", "contradicted"),
    (DIABETES, "In type 1 diabetes the alpha cells of the pancreas are destroyed.", "contradicted"),
    (DIABETES, "Type 1 diabetes is not an autoimmune disease.", "contradicted"),
    (DIABETES, "Type 1 diabetes affects one in 300 children.", "unsupported"),
    (WARD, "He takes oxycodone 5 mg every 6 hours.", "supported"),
    (WARD, "Hemoglobin fell from 12.9 to 10.2 after surgery.", "supported"),
    (WARD, "Enoxaparin 60 mg daily was started.", "contradicted"),
    (WARD, "He has fever and chills.", "contradicted"),
    (WARD, "He will be discharged in two weeks.", "contradicted"),
    (WARD, "He was given vancomycin.", "unsupported"),
    (MEASLES, "Measles can be treated with a specific antiviral.", "contradicted"),
    (MEASLES, "Two vaccine doses prevent 97% of measles cases.", "supported"),
    (MEASLES, "One vaccine dose prevents 97% of cases.", "contradicted"),
    (MEASLES, "Measles is a bacterial disease.", "contradicted"),
    (MEASLES, "Measles causes Koplik spots.", "unsupported"),
    (MEASLES, "Measles is highly contagious and may cause encephalitis.", "partial"),
    (COUGH, "患者发热。", "contradicted"),
    (COUGH, "咳嗽5天，口服阿莫西林500mg每日3次。", "supported"),
    (COUGH, "患者咳嗽5周。", "contradicted"),
    (COUGH, "患者有糖尿病史。", "unsupported"),
    (BREAST, "左乳肿物2月。", "contradicted"),
    (BREAST, "肿物大小约30mm。", "supported"),
    (BREAST, "肿物有压痛。", "contradicted"),
    (BREAST, "肿物质软。", "contradicted"),
    (BREAST, "给予化疗。", "unsupported"),
]
