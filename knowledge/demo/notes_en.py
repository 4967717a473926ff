"""Clinical notes in English: admission, progress, nursing, consult, radiology, discharge."""

from knowledge.demo.courses import Study
from knowledge.demo.pen import NO_ALLERGY, Pen, Source
from knowledge.demo.scribe import Scribe

_SIGNS = (("T ", "T"), ("HR ", "HR"), ("BP ", "BP"), ("RR ", "RR"), ("SpO2 ", "SpO2"))


def admission(s: Scribe) -> str:
    """The history and physical; returns the title."""
    service = s.chart.stay.course.service.en
    s.heading(
        s.rng.choice(
            (f"ADMISSION NOTE - {service.upper()}", f"{service} H&P", f"History and Physical ({service})")
        )
    )
    s.heading("CC: ", inline=True)
    s.say(s.story.complaint, after="\n")
    s.heading("HPI: ", inline=True)
    _opening(s)
    s.paragraph([*s.story.hpi, f"Denies {s.some_denials()}."])
    s.heading("PMH:")
    chronic = s.chronic()
    for pen in chronic:
        s.text("- ")
        s.pen.append(pen)
        s.text("\n")
    if not chronic:
        s.text("None significant\n")
    _earlier(s)
    _home(s)
    s.heading("Allergies: ", inline=True)
    _allergies(s)
    s.heading("Social: ", inline=True)
    s.paragraph(
        [
            "{living}.",
            "{occupation}.",
            "Tobacco: {smoking}. EtOH: {alcohol}.",
            "<Baseline: |Function: >{function}.",
        ]
    )
    s.heading("FHx: ", inline=True)
    s.paragraph(["{family}."])
    s.heading("Vitals: ", inline=True)
    _signs(s)
    s.say(", <Wt|weight> {v:AdmWt} kg", after="\n")
    s.heading("Exam:")
    _exam(s)
    s.heading("Labs: ", inline=True)
    _labs(s, compare=False)
    s.heading(s.rng.choice(("Assessment and Plan:", "A/P:", "IMPRESSION / PLAN")))
    s.copied("summary", [s.story.summary], "", 0.0)
    _plan(s, keep=0.0)
    s.say(s.words["hypothetical"], before="- ", after="\n")
    s.heading("Code status: ", inline=True)
    s.paragraph(["{code}. Contact: {contact}."])
    return f"{service} admission note"


def progress(s: Scribe) -> str:
    """A daily note, partly copied forward; returns the title."""
    style = s.chart.hadm_id % 3
    s.say(f"{s.chart.stay.course.service.en} progress note, <HD|hospital day> {{day}}", after="\n")
    s.heading(("S: ", "24h events: ", "Subjective: ")[style], inline=True)
    sentences = s.story.late if s.late else s.story.early
    picked = s.rng.sample(sentences, min(2, len(sentences)))
    s.paragraph([s.words["overnight"], *picked, f"Denies {s.some_denials()}."])
    s.heading(("O: ", "Vitals: ", "Objective: ")[style], inline=True)
    _signs(s)
    s.text("\n")
    if s.say("Wt {v:Wt} kg< this morning| today|>", after=""):
        s.say(" (adm {v:AdmWt} kg)")
        s.text("\n")
    _balance(s)
    _exam(s, copy=True)
    s.heading("Labs: ", inline=True)
    _labs(s, compare=True)
    _micro(s)
    s.heading(("A/P:", "Assessment/Plan", "ASSESSMENT AND PLAN")[style])
    s.copied("summary", [s.story.summary], "", 0.9)
    _plan(s, keep=0.55)
    if s.rng.random() < 0.5:
        s.say(s.words["hypothetical"], before="- ", after="\n")
    s.say(s.words["general_plan"], before="- ", after="\n")
    return f"{s.chart.stay.course.service.en} progress note"


def nursing(s: Scribe) -> str:
    """A shift note; returns the title."""
    s.heading(s.rng.choice(("RN SHIFT NOTE", "Nursing note", "Nursing: end of shift")))
    lines = s.story.nursing_late if s.late and s.story.nursing_late else s.story.nursing
    general = s.rng.sample(s.words["nursing"], 4)
    s.paragraph([general[0], *s.rng.sample(lines, min(3, len(lines))), *general[1:]])
    s.heading("VS: ", inline=True)
    _signs(s)
    s.text("\n")
    running = [o for o in s.chart.active_orders(s.time) if o.frequency != "ONCE"]
    if running:
        order = s.rng.choice(running)
        s.text(s.rng.choice(("Meds given as ordered incl. ", "Due meds given, incl. ")))
        s.scene.write_order(order, s.pen)
        s.text(".\n")
    _balance(s)
    s.paragraph([s.words["nursing_teaching"]])
    return "Nursing note"


def consult(s: Scribe) -> str:
    """A consultant's note; returns the title."""
    note = s.story.consult
    s.heading(f"{note.service.upper()} CONSULT")
    s.heading("Reason for consult: ", inline=True)
    s.say(note.question, after="\n")
    s.heading(s.rng.choice(("History:", "HPI (brief):")))
    _opening(s)
    s.paragraph(note.body)
    s.heading("Pertinent vitals: ", inline=True)
    _signs(s)
    s.text("\n")
    s.heading("Labs: ", inline=True)
    _labs(s, compare=True)
    s.heading("Recommendations:")
    s.numbered(note.recommendations)
    s.text(
        s.rng.choice(
            (
                "Thank you for this consult, will follow.\n",
                "Discussed with primary team. Will follow along.\n",
            )
        )
    )
    return f"{note.service} consult"


def radiology(s: Scribe, study: Study) -> str:
    """An imaging report; returns the title."""
    s.heading(study.title.upper())
    s.heading("INDICATION: ", inline=True)
    s.say("{age}-year-old {man}, ")
    s.say(study.indication, after="\n")
    s.heading("COMPARISON: ", inline=True)
    s.text(
        s.rng.choice(("None.", "None available at the time of dictation.", "No prior of this region.")) + "\n"
    )
    s.heading("FINDINGS: ", inline=True)
    s.paragraph(study.findings)
    s.heading("IMPRESSION:")
    s.numbered(study.impression)
    return study.title


def discharge(s: Scribe) -> str:
    """The discharge summary; returns the title."""
    stay = s.chart.stay
    s.heading("DISCHARGE SUMMARY")
    s.text("Admitted: ")
    s.pen.write(f"{stay.admit:%Y-%m-%d}", Source("admissions", s.chart.admission_row, "admittime"))
    if stay.discharge:
        s.text("   Discharged: ")
        s.pen.write(f"{stay.discharge:%Y-%m-%d}", Source("admissions", s.chart.admission_row, "dischtime"))
    s.text(f"\nService: {stay.course.service.en}\n")
    s.heading("Discharge diagnoses:")
    s.numbered([f"{{dx:{d.code}}}" for d in s.chart.diagnoses])
    s.heading("Presentation: ", inline=True)
    _opening(s)
    s.heading(s.rng.choice(("Hospital course:", "Brief hospital course:")))
    s.paragraph(s.story.hospital_course)
    if s.chart.procedures:
        s.heading("Procedures:")
        s.bullets([f"{{px:{code}}}" for code in dict.fromkeys(p.code for p in s.chart.procedures)])
    s.heading("Pertinent results: ", inline=True)
    _labs(s, compare=True)
    s.heading("Allergies: ", inline=True)
    _allergies(s)
    s.heading("Discharge medications:")
    leaving = [o for o in s.chart.orders if o.active(s.time) and o.route in ("PO", "IH", "SC", "NEB", "TD")]
    if not s.listed(leaving):
        s.text("None\n")
    ended = [o for o in s.chart.orders if not o.active(s.time) and o.frequency != "ONCE" and o.start < s.time]
    _stopped(s, ended, leaving)
    s.heading("Condition at discharge: ", inline=True)
    s.paragraph([s.words["condition"]])
    s.heading("Instructions:")
    s.bullets([*s.story.instructions, s.words["return_precautions"]])
    s.heading("Follow-up: ", inline=True)
    s.paragraph([s.story.follow_up])
    return "Discharge summary"


def _opening(s: Scribe) -> None:
    chronic = s.chronic()
    options = list(s.words["opening" if chronic else "opening_healthy"])
    complaint = s.story.complaint if isinstance(s.story.complaint, str) else s.story.complaint[0]
    before, _, after = s.rng.choice(options).replace("{complaint}", complaint).partition("{pmh}")
    if not after:
        s.say(before, after=" ")
        return
    s.say(before)
    s.text(s.rng.choice(("hx of ", "PMH of ", "a history of ")))
    s.joined(chronic[:4], ", ")
    s.say(after, after=" ")


def _earlier(s: Scribe) -> None:
    earlier = s.chart.earlier
    if earlier is None or earlier.stay.discharge is None:
        return
    s.text(s.rng.choice(("Last admitted here ", "Prior admission: ")))
    s.pen.write(f"{earlier.stay.admit:%Y-%m-%d}", Source("admissions", earlier.admission_row, "admittime"))
    s.text(" to ")
    s.pen.write(
        f"{earlier.stay.discharge:%Y-%m-%d}", Source("admissions", earlier.admission_row, "dischtime")
    )
    s.text(f" ({earlier.stay.course.name.en.lower()}).\n")


def _home(s: Scribe) -> None:
    s.heading("Home meds:")
    hold = s.chart.stay.course.hold
    count = s.listed(o for o in s.chart.orders if o.home and o.start <= s.time)
    for order in s.chart.person.home:
        if order.drug in hold:
            s.text(f"- {order.drug.lower()} (HELD on admission)\n")
            count += 1
    if not count:
        s.text(s.rng.choice(("No regular meds\n", "None besides OTC vitamins\n", "None\n")))


def _allergies(s: Scribe) -> None:
    if not s.chart.person.allergies:
        s.pen.write(s.rng.choice(("NKDA", "No known drug allergies", "None known")), NO_ALLERGY)
        s.text("\n")
        return
    for number, (allergy, row) in enumerate(zip(s.chart.person.allergies, s.chart.allergy_rows, strict=True)):
        s.text("; " if number else "")
        s.pen.write(allergy.en, Source("allergies", row, "substance"))
        s.text(" (")
        s.pen.write(allergy.reaction_en, Source("allergies", row, "reaction"))
        s.text(")")
    s.text("\n")


def _signs(s: Scribe) -> None:
    s.signs(_SIGNS, ", ")
    if not s.say([" on {v:O2}L NC", " on {v:O2} L/min O2"]):
        s.text(s.rng.choice((" RA", " on room air")))


def _exam(s: Scribe, *, copy: bool = False) -> None:
    key = f"exam-{s.late}"
    old = s.memory.get(key)
    if copy and old and s.rng.random() < 0.6:
        s.pen.append(old)
        return
    whole, s.pen = s.pen, Pen()
    for name, finding in s.exam():
        s.text(f"{name}: ")
        s.pen.append(finding)
        s.text("\n")
    written, s.pen = s.pen, whole
    if not any(f.table in ("labevents", "chartevents") for f in written.facts):
        s.memory[key] = written
    s.pen.append(written)


def _labs(s: Scribe, *, compare: bool) -> None:
    first = True
    for label in s.panel(compare=compare):
        results = s.fresh(label)
        item = s.reference.labs[label]
        s.text(("" if first else ", ") + f"{item.en} ")
        s.value(results[0])
        if compare and len(results) > 1 and results[0].text != results[1].text:
            s.text(s.rng.choice((" (", " (from ", " (was ")) if s.rng.random() < 0.6 else " <- ")
            closing = ")" if not s.pen.text.endswith("<- ") else ""
            s.value(results[1])
            s.text(closing)
        first = False
    s.text("\n" if not first else "pending\n")


def _balance(s: Scribe) -> None:
    recent = [b for b in s.chart.balance if b[0] <= s.time][-4:]
    if len(recent) == 4 and s.chart.stay.in_icu(s.time):
        taken, put_out = sum(b[1] for b in recent), sum(b[2] for b in recent)
        s.text(f"I/O last 24h: {taken} in / {put_out} out ({taken - put_out:+d} mL)\n")


def _micro(s: Scribe) -> None:
    for specimen in dict.fromkeys(c.specimen for c in s.chart.cultures):
        name = specimen.lower()
        if not s.say(f"{{org:{specimen}}} (S: {{s:{specimen}}})", before=f"Micro: {name} ", after="\n"):
            s.say(f"{{nogrowth:{specimen}}}", before=f"Micro: {name} - ", after="\n")


def _plan(s: Scribe, *, keep: float) -> None:
    for number, problem in enumerate(s.story.problems, start=1):
        title = s.scene.say(problem.title)
        if title is None:
            continue
        whole, s.pen = s.pen, Pen()
        s.copied(f"problem-{number}-{s.late}", problem.late if s.late else problem.early, "- ", keep)
        lines, s.pen = s.pen, whole
        if not lines.text:
            continue
        s.text("# ")
        s.pen.append(title)
        s.text("\n")
        s.pen.append(lines)


def _stopped(s: Scribe, ended: list, leaving: list) -> None:
    kept = {o.drug for o in leaving}
    names = {o.drug: o for o in ended if o.drug not in kept}
    if not names:
        return
    s.text("Stopped before discharge: ")
    for number, (drug, order) in enumerate(names.items()):
        s.text(", " if number else "")
        s.pen.write(s.scene.drug_name(drug), Source("prescriptions", order.row_id, "drug"))
    s.text("\n")
