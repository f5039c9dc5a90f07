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
VITAMIN = (
    "Vitamin K is a fat-soluble vitamin that the liver needs to make clotting factors. Newborns have low stores and "
    "receive an injection soon after birth. Warfarin blocks its action, so people who take warfarin should keep their"
    " intake steady from day to day."
)
STROKE = (
    "An ischemic stroke happens when a clot blocks an artery in the brain. Thrombolysis must be started within 4.5 "
    "hours of symptom onset. Hemorrhagic strokes, which make up about 13 percent of all strokes, result from bleeding"
    " and must not be treated with thrombolysis. Symptoms on the right side of the body point to the left hemisphere."
)
ASTHMA = (
    "In asthma, the airways become inflamed and narrow, which makes breathing difficult. Inhaled corticosteroids "
    "reduce inflammation and are taken every day, even when there are no symptoms. Short-acting beta agonists relax "
    "the muscles around the airways and act within minutes. Asthma cannot be cured, but most people can control it."
)
VENTRICLE = (
    "The left ventricle pumps oxygen-rich blood through the aortic valve into the aorta. Its wall is thicker than "
    "that of the right ventricle because it works against higher pressure. The tricuspid valve lies between the right"
    " atrium and the right ventricle. Coronary arteries fill mainly during diastole."
)
IRON = (
    "Iron deficiency is the most common cause of anemia in the world. It develops slowly, and early on there may be "
    "no symptoms. Menstruating women and young children are at highest risk. Oral iron is best absorbed on an empty "
    "stomach, but it often upsets the stomach and turns stools black."
)
FLANK = (
    "54F with T2DM, CKD 3. Presents w/ 2 wk hx of L flank pain and dysuria. T 38.6, BP 104/60. UA: nitrite pos, leuk "
    "est pos. CT: no stone. Started ceftriaxone 1 g IV q24h. Metformin held, lisinopril continued. NKDA. Plan: switch"
    " to PO cipro when afebrile x 24h, renal US in AM."
)
EAR = (
    "Pt is a 7 yo boy brought by his mother for R ear pain since yesterday. No fever. TM red and bulging on R, normal"
    " on L. Dx: acute otitis media. Rx amoxicillin 80 mg/kg/day divided BID for 10 days. Ibuprofen PRN pain. Return "
    "if not better in 48-72 hrs."
)
DIABETES_ZH = (
    "患者女，68岁，2型糖尿病15年，现用二甲双胍0.5g每日三次及甘精胰岛素14单位睡前皮下注射。"
    "近1月双下肢水肿，无胸闷。"
    "尿蛋白阳性，肌酐132μmol/L，较3月前升高。"
    "停用二甲双胍。"
)
INFLUENZA_ZH = (
    "流感由流感病毒引起，潜伏期一般为1至4天。"
    "抗病毒药物奥司他韦应在发病48小时内使用。"
    "接种疫苗是最有效的预防措施，建议每年秋季接种。"
    "6月龄以下婴儿不能接种流感疫苗。"
)

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
    (VITAMIN, "Vitamin K is water-soluble.", "contradicted"),
    (VITAMIN, "The liver requires vitamin K to produce clotting factors.", "supported"),
    (VITAMIN, "Warfarin enhances the action of vitamin K.", "contradicted"),
    (VITAMIN, "Newborn babies get a vitamin K injection shortly after they are born.", "supported"),
    (VITAMIN, "Vitamin K is found in leafy greens.", "unsupported"),
    (VITAMIN, "Newborns have high stores of vitamin K.", "contradicted"),
    (VITAMIN, "Vitamin K is fat-soluble and is stored in the spleen.", "partial"),
    (STROKE, "Thrombolysis has to begin within four and a half hours of the first symptoms.", "supported"),
    (STROKE, "Thrombolysis must be started within 12 hours.", "contradicted"),
    (STROKE, "Hemorrhagic stroke is treated with thrombolysis.", "contradicted"),
    (STROKE, "Most strokes are hemorrhagic.", "contradicted"),
    (STROKE, "Right-sided symptoms suggest damage to the right hemisphere.", "contradicted"),
    (STROKE, "A blocked brain artery causes ischemic stroke.", "supported"),
    (STROKE, "Stroke risk doubles with each decade of age.", "unsupported"),
    (STROKE, "About one in eight strokes is hemorrhagic.", "supported"),
    (STROKE, "An ischemic stroke happens when a clot blocks a vein in the brain.", "contradicted"),
    (ASTHMA, "Asthma can be cured in most people.", "contradicted"),
    (ASTHMA, "The airways widen in asthma.", "contradicted"),
    (ASTHMA, "Short-acting beta agonists work within hours.", "contradicted"),
    (ASTHMA, "Inhaled corticosteroids lower inflammation.", "supported"),
    (ASTHMA, "Short-acting beta agonists relax airway muscles.", "supported"),
    (ASTHMA, "Asthma is more frequent in boys.", "unsupported"),
    (ASTHMA, "Long-acting beta agonists act within minutes.", "contradicted"),
    (ASTHMA, "Inhaled corticosteroids increase inflammation.", "contradicted"),
    (ASTHMA, "Asthma can be controlled in most people and usually begins before age five.", "partial"),
    (VENTRICLE, "The right ventricle has a thicker wall than the left.", "contradicted"),
    (VENTRICLE, "The left ventricle pumps blood into the aorta.", "supported"),
    (VENTRICLE, "The mitral valve lies between the right atrium and the right ventricle.", "contradicted"),
    (VENTRICLE, "Coronary arteries fill chiefly in systole.", "contradicted"),
    (VENTRICLE, "The left ventricle pumps oxygen-poor blood.", "contradicted"),
    (VENTRICLE, "The heart beats about 100,000 times a day.", "unsupported"),
    (VENTRICLE, "The right ventricle pumps blood into the aorta.", "contradicted"),
    (IRON, "The leading cause of anemia worldwide is lack of iron.", "supported"),
    (IRON, "Iron deficiency develops rapidly.", "contradicted"),
    (IRON, "Iron deficiency always causes symptoms early on.", "contradicted"),
    (IRON, "Iron can make stools black.", "supported"),
    (IRON, "Iron deficiency is diagnosed by a low ferritin.", "unsupported"),
    (FLANK, "She has right flank pain.", "contradicted"),
    (FLANK, "Ceftriaxone 2 g daily was started.", "contradicted"),
    (FLANK, "Metformin was continued.", "contradicted"),
    (FLANK, "Lisinopril was stopped.", "contradicted"),
    (FLANK, "The CT showed a kidney stone.", "contradicted"),
    (FLANK, "She has had left flank pain for two weeks.", "supported"),
    (FLANK, "She is allergic to penicillin.", "contradicted"),
    (FLANK, "Blood cultures were taken.", "unsupported"),
    (FLANK, "The patient was febrile at 38.6.", "supported"),
    (FLANK, "A 54-year-old woman with type 2 diabetes and chronic kidney disease.", "supported"),
    (FLANK, "Vancomycin 1 g IV q24h was started.", "contradicted"),
    (FLANK, "The urine nitrite was negative.", "contradicted"),
    (FLANK, "Metformin was held and she was given insulin.", "partial"),
    (EAR, "The left tympanic membrane is red and bulging.", "contradicted"),
    (EAR, "The child has a fever.", "contradicted"),
    (EAR, "Amoxicillin is given twice a day for ten days.", "supported"),
    (EAR, "Amoxicillin was prescribed for five days.", "contradicted"),
    (EAR, "He was brought in by his father.", "contradicted"),
    (EAR, "The girl has ear pain.", "contradicted"),
    (EAR, "He should return if not improved in two to three days.", "supported"),
    (EAR, "The diagnosis is otitis externa.", "contradicted"),
    (EAR, "He had a previous ear infection.", "unsupported"),
    (DIABETES_ZH, "患者患2型糖尿病15年。", "supported"),
    (DIABETES_ZH, "患者患1型糖尿病。", "contradicted"),
    (DIABETES_ZH, "继续使用二甲双胍。", "contradicted"),
    (DIABETES_ZH, "肌酐较前下降。", "contradicted"),
    (DIABETES_ZH, "甘精胰岛素24单位睡前注射。", "contradicted"),
    (DIABETES_ZH, "双下肢无水肿。", "contradicted"),
    (DIABETES_ZH, "患者有胸闷。", "contradicted"),
    (DIABETES_ZH, "患者有视网膜病变。", "unsupported"),
    (DIABETES_ZH, "尿蛋白阴性。", "contradicted"),
    (DIABETES_ZH, "二甲双胍500mg每天3次。", "supported"),
    (INFLUENZA_ZH, "奥司他韦应在发病2天内使用。", "supported"),
    (INFLUENZA_ZH, "6月龄以下婴儿可以接种流感疫苗。", "contradicted"),
    (INFLUENZA_ZH, "流感由细菌引起。", "contradicted"),
    (INFLUENZA_ZH, "潜伏期为1至4周。", "contradicted"),
    (INFLUENZA_ZH, "建议每年接种疫苗。", "supported"),
    (INFLUENZA_ZH, "流感可并发肺炎。", "unsupported"),
    (INFLUENZA_ZH, "建议每年春季接种。", "contradicted"),
]
