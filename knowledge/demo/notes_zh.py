"""Clinical notes in Chinese: 入院记录、病程记录、护理记录、会诊记录、影像报告、出院小结."""

from knowledge.demo.courses import Study
from knowledge.demo.pen import NO_ALLERGY, Pen, Source
from knowledge.demo.scribe import Scribe

_SIGNS = (("T ", "T"), ("P ", "HR"), ("R ", "RR"), ("BP ", "BP"), ("SpO2 ", "SpO2"))
_UNITS = {"T": "℃", "HR": "次/分", "RR": "次/分", "BP": "mmHg", "SpO2": "%"}


def admission(s: Scribe) -> str:
    """The history and physical; returns the title."""
    s.heading(f"入院记录（{s.chart.stay.course.service.zh}）")
    s.heading("主诉：", inline=True)
    s.say(s.story.complaint, after="。\n")
    s.heading("现病史：", inline=True)
    _opening(s)
    s.paragraph([*s.story.hpi, f"病程中否认{s.some_denials()}。"])
    s.heading("既往史：", inline=True)
    chronic = s.chronic()
    if chronic:
        s.text("有")
        s.joined(chronic, "、")
        s.text("病史。")
    else:
        s.text("否认高血压、糖尿病、冠心病病史。" if not s.chart.stay.course.chronic else "无其他慢性病史。")
    _allergies(s)
    s.text("\n")
    _earlier(s)
    _home(s)
    s.heading("个人史：", inline=True)
    s.paragraph(["{occupation}，{living}。", "{smoking}；{alcohol}。", "{function}。"])
    s.heading("家族史：", inline=True)
    s.paragraph(["{family}。"])
    s.heading("体格检查：", inline=True)
    _signs(s)
    s.say("，体重 {v:AdmWt} kg")
    s.text("。\n")
    _exam(s)
    s.heading("辅助检查：", inline=True)
    _labs(s, compare=False)
    s.heading("初步诊断：")
    s.numbered([f"{{dx:{d.code}}}" for d in s.chart.diagnoses if not d.found_later])
    s.heading("诊疗计划：")
    s.copied("summary", [s.story.summary], "", 0.0)
    _plan(s, keep=0.0)
    s.say(s.words["hypothetical"], before="- ", after="\n")
    s.paragraph(["{code}。联系人：{contact}。"])
    return f"入院记录（{s.chart.stay.course.service.zh}）"


def progress(s: Scribe) -> str:
    """A daily note, partly copied forward; returns the title."""
    s.say("病程记录（住院第{day}天）", after="\n")
    sentences = s.story.late if s.late else s.story.early
    picked = s.rng.sample(sentences, min(2, len(sentences)))
    s.paragraph(
        [
            s.rng.choice(("今日查房：", "主治医师查房：", "")),
            *picked,
            s.words["overnight"],
            f"否认{s.some_denials()}。",
        ]
    )
    s.heading("查体：", inline=True)
    _signs(s)
    if s.say("，体重 {v:Wt} kg"):
        s.say("（入院时 {v:AdmWt} kg）")
    s.text("。\n")
    _exam(s, copy=True)
    _balance(s)
    s.heading("复查：", inline=True)
    _labs(s, compare=True)
    _micro(s)
    s.heading(s.rng.choice(("分析与处理：", "目前诊疗：")))
    s.copied("summary", [s.story.summary], "", 0.9)
    _plan(s, keep=0.55)
    if s.rng.random() < 0.5:
        s.say(s.words["hypothetical"], before="- ", after="\n")
    s.say(s.words["general_plan"], before="- ", after="\n")
    return "病程记录"


def nursing(s: Scribe) -> str:
    """A shift note; returns the title."""
    s.heading(s.rng.choice(("护理记录", "一般护理记录单", "交班护理记录")))
    lines = s.story.nursing_late if s.late and s.story.nursing_late else s.story.nursing
    general = s.rng.sample(s.words["nursing"], 4)
    s.paragraph([general[0], *s.rng.sample(lines, min(3, len(lines))), *general[1:]])
    s.heading("生命体征：", inline=True)
    _signs(s)
    s.text("。\n")
    running = [o for o in s.chart.active_orders(s.time) if o.frequency != "ONCE"]
    if running:
        s.text("遵医嘱予")
        s.scene.write_order(s.rng.choice(running), s.pen)
        s.text("等治疗。\n")
    _balance(s)
    s.paragraph([s.words["nursing_teaching"]])
    return "护理记录"


def consult(s: Scribe) -> str:
    """A consultant's note; returns the title."""
    note = s.story.consult
    s.heading(f"{note.service}会诊记录")
    s.heading("会诊目的：", inline=True)
    s.say(note.question, after="\n")
    s.heading("病史摘要：", inline=True)
    _opening(s)
    s.paragraph(note.body)
    s.heading("查体：", inline=True)
    _signs(s)
    s.text("。\n")
    s.heading("辅助检查：", inline=True)
    _labs(s, compare=True)
    s.heading("会诊意见：")
    s.numbered(note.recommendations)
    s.text(s.rng.choice(("感谢邀请，随诊。\n", "以上意见供参考，不适随诊。\n")))
    return f"{note.service}会诊记录"


def radiology(s: Scribe, study: Study) -> str:
    """An imaging report; returns the title."""
    s.heading(f"{study.title}检查报告")
    s.heading("临床信息：", inline=True)
    s.say("{sex}，{age}岁，")
    s.say(study.indication, after="\n")
    s.heading("影像所见：", inline=True)
    s.paragraph(study.findings)
    s.heading("诊断意见：")
    s.numbered(study.impression)
    return f"{study.title}报告"


def discharge(s: Scribe) -> str:
    """The discharge summary; returns the title."""
    stay = s.chart.stay
    s.heading("出院小结")
    s.text("入院日期：")
    s.pen.write(f"{stay.admit:%Y-%m-%d}", Source("admissions", s.chart.admission_row, "admittime"))
    if stay.discharge:
        s.text("　出院日期：")
        s.pen.write(f"{stay.discharge:%Y-%m-%d}", Source("admissions", s.chart.admission_row, "dischtime"))
    s.text(f"　科室：{stay.course.service.zh}\n")
    s.heading("出院诊断：")
    s.numbered([f"{{dx:{d.code}}}" for d in s.chart.diagnoses])
    s.heading("入院情况：", inline=True)
    _opening(s)
    s.heading("诊疗经过：", inline=True)
    s.paragraph(s.story.hospital_course)
    if s.chart.procedures:
        s.heading("手术及操作：")
        s.bullets([f"{{px:{code}}}" for code in dict.fromkeys(p.code for p in s.chart.procedures)])
    s.heading("主要检验结果：", inline=True)
    _labs(s, compare=True)
    s.heading("过敏史：", inline=True)
    _allergies(s)
    s.heading("出院带药：")
    leaving = [o for o in s.chart.orders if o.active(s.time) and o.route in ("PO", "IH", "SC", "NEB", "TD")]
    if not s.listed(leaving):
        s.text("无\n")
    ended = [o for o in s.chart.orders if not o.active(s.time) and o.frequency != "ONCE" and o.start < s.time]
    kept = {o.drug for o in leaving}
    names = {o.drug: o for o in ended if o.drug not in kept}
    if names:
        s.text("住院期间已停用：")
        for number, (drug, order) in enumerate(names.items()):
            s.text("、" if number else "")
            s.pen.write(s.scene.drug_name(drug), Source("prescriptions", order.row_id, "drug"))
        s.text("。\n")
    s.heading("出院情况：", inline=True)
    s.paragraph([s.words["condition"]])
    s.heading("出院医嘱：")
    s.numbered([*s.story.instructions, s.words["return_precautions"], s.story.follow_up])
    return "出院小结"


def _opening(s: Scribe) -> None:
    complaint = s.story.complaint if isinstance(s.story.complaint, str) else s.story.complaint[0]
    options = s.words["opening" if s.chronic() else "opening_healthy"]
    s.say(s.rng.choice(options).replace("{complaint}", complaint))


def _earlier(s: Scribe) -> None:
    earlier = s.chart.earlier
    if earlier is None or earlier.stay.discharge is None:
        return
    s.text("曾于")
    s.pen.write(f"{earlier.stay.admit:%Y-%m-%d}", Source("admissions", earlier.admission_row, "admittime"))
    s.text("至")
    s.pen.write(
        f"{earlier.stay.discharge:%Y-%m-%d}", Source("admissions", earlier.admission_row, "dischtime")
    )
    s.text(f"因“{earlier.stay.course.name.zh}”在我院住院治疗。\n")


def _home(s: Scribe) -> None:
    home = [o for o in s.chart.orders if o.home and o.start <= s.time]
    held = [o for o in s.chart.person.home if o.drug in s.chart.stay.course.hold]
    if not home and not held:
        s.text(s.rng.choice(("否认长期服药史。\n", "平素未规律服药。\n")))
        return
    s.text("长期用药：\n")
    s.listed(home)
    for order in held:
        s.text(f"- {s.reference.drugs[order.drug].zh}（入院后暂停）\n")


def _allergies(s: Scribe) -> None:
    if not s.chart.person.allergies:
        s.pen.write(s.rng.choice(("否认药物及食物过敏史", "无药物过敏史", "否认过敏史")), NO_ALLERGY)
        s.text("。")
        return
    s.text("对")
    for number, (allergy, row) in enumerate(zip(s.chart.person.allergies, s.chart.allergy_rows, strict=True)):
        s.text("、" if number else "")
        s.pen.write(allergy.zh, Source("allergies", row, "substance"))
        s.text("过敏（")
        s.pen.write(allergy.reaction_zh, Source("allergies", row, "reaction"))
        s.text("）")
    s.text("。")


def _signs(s: Scribe) -> None:
    first = True
    for before, key in _SIGNS:
        said = s.scene.say("{bp}" if key == "BP" else f"{{v:{key}}}")
        if said is None:
            continue
        s.text(("" if first else "，") + before)
        s.pen.append(said)
        s.text(_UNITS[key])
        first = False
    if not s.say("（鼻导管吸氧 {v:O2} L/min）"):
        s.text("（未吸氧）")


def _exam(s: Scribe, *, copy: bool = False) -> None:
    key = f"exam-{s.late}"
    old = s.memory.get(key)
    if copy and old and s.rng.random() < 0.6:
        s.pen.append(old)
        return
    whole, s.pen = s.pen, Pen()
    for _, finding in s.exam():
        s.pen.append(finding)
        s.text("。")
    s.text("\n")
    written, s.pen = s.pen, whole
    if not any(f.table in ("labevents", "chartevents") for f in written.facts):
        s.memory[key] = written
    s.pen.append(written)


def _labs(s: Scribe, *, compare: bool) -> None:
    first = True
    for label in s.panel(compare=compare):
        results = s.fresh(label)
        s.text(("" if first else "，") + f"{s.reference.labs[label].zh} ")
        s.value(results[0])
        unit = results[0].unit
        if unit and unit != "units":
            s.text("" if unit == "%" else " ")
            s.pen.write(unit, Source("labevents", results[0].row_id, "valueuom"))
        if compare and len(results) > 1 and results[0].text != results[1].text:
            s.text(s.rng.choice(("（前次 ", "（前值 ")))
            s.value(results[1])
            s.text("）")
        first = False
    s.text("。\n" if not first else "结果未回。\n")


def _balance(s: Scribe) -> None:
    recent = [b for b in s.chart.balance if b[0] <= s.time][-4:]
    if len(recent) == 4 and s.chart.stay.in_icu(s.time):
        s.text(f"24小时入量 {sum(b[1] for b in recent)} mL，出量 {sum(b[2] for b in recent)} mL。\n")


_SPECIMENS = {
    "BLOOD CULTURE": "血培养",
    "URINE": "尿培养",
    "SPUTUM": "痰培养",
    "PERITONEAL FLUID": "腹水培养",
}


def _micro(s: Scribe) -> None:
    for specimen in dict.fromkeys(c.specimen for c in s.chart.cultures):
        name = _SPECIMENS[specimen]
        if not s.say(f"{name}：{{org:{specimen}}}，敏感：{{s:{specimen}}}", after="。\n"):
            s.say(f"{name}：{{nogrowth:{specimen}}}", after="。\n")


def _plan(s: Scribe, *, keep: float) -> None:
    number = 0
    for index, problem in enumerate(s.story.problems, start=1):
        title = s.scene.say(problem.title)
        if title is None:
            continue
        whole, s.pen = s.pen, Pen()
        s.copied(f"problem-{index}-{s.late}", problem.late if s.late else problem.early, "- ", keep)
        lines, s.pen = s.pen, whole
        if not lines.text:
            continue
        number += 1
        s.text(f"{number}. ")
        s.pen.append(title)
        s.text("：\n")
        s.pen.append(lines)
