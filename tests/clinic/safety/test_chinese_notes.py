"""Red flags in Chinese notes with headings: today's emergency fires; what is past, a relative's or denied doesn't."""

from pathlib import Path

import pytest

from osler.clinic.safety import red_flags
from osler.knowledge.concepts.recogniser import findings_of, load_recogniser
from osler.knowledge.graph import load_graph
from osler.record import read, read_text
from osler.record.case import Case

EXAMPLES = Path(__file__).parents[3] / "examples"
# The rule that must be raised, and the note; without a rule nothing may be raised.
NOTES = [
    (
        "acute-coronary-syndrome",
        "主诉：突发胸闷3小时。\n"
        "现病史：患者女，67岁，3小时前如厕时突感胸骨后闷痛，向下颌放射，伴大汗、恶心，休息后不缓解。既往无类似发作。\n"
        "既往史：高血压20年，否认糖尿病。\n"
        "查体：血压138/80mmHg，心率96次/分，双肺呼吸音清。\n",
    ),
    (
        "stroke",
        "主诉：右侧肢体无力伴言语不清1小时。\n"
        "现病史：患者男，70岁，1小时前晨练时突发右侧肢体无力，持物掉落，口角歪斜，言语含糊，家属送来急诊。\n"
        "既往史：房颤病史5年，未抗凝。10年前患脑梗死，已恢复。\n"
        "查体：神志清，右侧鼻唇沟变浅，右上肢肌力2级。\n",
    ),
    (
        "subarachnoid-haemorrhage",
        "主诉：突发剧烈头痛2小时。\n"
        "现病史：患者女，45岁，2小时前搬家具时突发炸裂样头痛，伴喷射性呕吐，颈部僵硬。\n"
        "既往史：体健。\n"
        "家族史：母亲有高血压。\n",
    ),
    (
        "meningitis",
        "病史：患者男，19岁，1天前出现高热、头痛，今晨意识模糊。\n"
        "查体：体温39.8℃，颈抵抗阳性，下肢可见瘀斑，压之不褪色。\n",
    ),
    (
        "upper-gi-bleed",
        "主诉：呕血、黑便半天。\n"
        "现病史：患者男，52岁，半天前进食后呕鲜红色血约500ml，排柏油样便2次，伴头晕、心悸。\n"
        "既往史：乙肝肝硬化10年。\n"
        "查体：血压85/50mmHg，心率122次/分，面色苍白，四肢湿冷。\n",
    ),
    (
        "ectopic-pregnancy",
        "主诉：停经45天，下腹痛2小时。\n"
        "现病史：患者女，28岁，停经45天，2小时前突发右下腹撕裂样痛，伴阴道少量出血、晕厥1次。\n"
        "查体：血压80/50mmHg，心率120次/分。尿HCG阳性。\n",
    ),
    (
        "anaphylaxis",
        "主诉：皮疹伴呼吸困难20分钟。\n"
        "现病史：患者女，30岁，20分钟前静滴头孢曲松后全身荨麻疹，喉头发紧，呼吸困难，头晕。\n"
        "过敏史：否认药物过敏史。\n"
        "查体：血压75/40mmHg，双肺哮鸣音。\n",
    ),
    (
        "sepsis",
        "主诉：发热3天，神志改变半天。\n"
        "现病史：患者女，78岁，3天前出现发热、尿频、尿痛，半天前家属发现其嗜睡。\n"
        "既往史：糖尿病15年。\n"
        "查体：体温39.4℃，血压86/48mmHg，心率124次/分，呼吸28次/分。\n",
    ),
    (
        "diabetic-ketoacidosis",
        "主诉：恶心呕吐1天，意识模糊3小时。\n"
        "现病史：患者男，22岁，1型糖尿病，自行停用胰岛素3天，1天前恶心、呕吐、腹痛，3小时前意识模糊，呼吸深快，呼气有烂苹果味。\n"
        "辅助检查：血糖28.5mmol/L，尿酮体(+++)，pH 7.12。\n",
    ),
    (
        "carbon-monoxide-poisoning",
        "主诉：被发现意识不清1小时。\n"
        "现病史：患者女，55岁，家中烧炭取暖，1小时前女儿发现其呼之不应，室内有煤炭炉，门窗紧闭，同住丈夫头痛呕吐。\n",
    ),
    (
        "testicular-torsion",
        "主诉：左侧阴囊疼痛4小时。\n"
        "现病史：患者男，14岁，4小时前睡眠中突发左侧睾丸剧痛，伴恶心呕吐。\n"
        "查体：左侧睾丸上提、横位，提睾反射消失。\n",
    ),
    (
        "",
        "主诉：体检发现血压升高1周。\n"
        "现病史：患者男，50岁，1周前体检发现血压148/92mmHg，无胸痛、胸闷，无头痛、呕吐，无肢体无力。\n"
        "既往史：10年前曾患急性心肌梗死，行支架植入术。5年前曾呕血。\n"
        "家族史：父亲突发胸痛、大汗猝死，母亲脑出血。\n"
        "查体：血压146/90mmHg，心率72次/分。\n",
    ),
    (
        "",
        "主诉：咳嗽2天。\n"
        "现病史：患者女，33岁，2天前受凉后咳嗽、流涕，否认发热、胸痛、呼吸困难、咯血。\n"
        "既往史：8年前因肺栓塞住院，已治愈。否认晕厥、抽搐史。\n"
        "家族史：姐姐有癫痫，曾抽搐持续半小时、昏迷。\n"
        "查体：体温36.5℃，心率76次/分，血压118/74mmHg，血氧99%。\n",
    ),
    (
        "",
        "主诉：复诊开药。\n"
        "现病史：患者男，61岁，高血压病，规律服药，无不适。嘱如出现胸痛、大汗、左臂放射痛，立即就诊；若突发言语不清、肢体无力，拨打120。\n"
        "既往史：2015年曾患脑梗死，突发右侧肢体无力，未遗留后遗症。\n",
    ),
]


def raised(case: Case) -> set[str]:
    findings = findings_of(case, load_recogniser())
    flags, _ = red_flags(case, findings, load_graph(), "zh")
    return {i.removeprefix("guideline:") for flag in flags for i in flag.evidence if i.startswith("guideline:")}


@pytest.mark.parametrize(("rule", "note"), NOTES)
def test_headed_notes(rule: str, note: str) -> None:
    found = raised(read_text(note))
    assert rule in found if rule else not found


def test_the_example_of_chest_pain_is_a_coronary_emergency_in_shock() -> None:
    assert {"acute-coronary-syndrome", "cardiogenic-shock"} <= raised(read(EXAMPLES / "chest-pain.zh.txt"))
