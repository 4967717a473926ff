"""The Gradio page: pick a patient, ask, watch the steps, click a citation, stop."""

import secrets
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import gradio as gr

from agent.agent import ClinicalAgent
from agent.answer import Language
from agent.language import language_of
from agent.ui.cards import card
from agent.ui.render import TurnView, conversation, escape
from agent.ui.strings import strings
from knowledge.errors import ChartroomError, Stopped
from knowledge.store import Patient

ALL = 0
"""The picker's value for "all patients"; no ``subject_id`` is 0 in any source that we know."""

# A click on a citation reaches Python as an event with the turn's and the evidence's number.
_CLICKS = """
element.addEventListener('click', (event) => {
  const chip = event.target.closest('.cr-cite');
  if (chip) trigger('click', {turn: Number(chip.dataset.turn), evidence: Number(chip.dataset.evidence)});
});
"""
_SHOW_MARK = (
    "() => setTimeout(() => document.getElementById('cr-mark')?.scrollIntoView({block: 'center'}), 150)"
)


def build_page(agent: ClinicalAgent, *, language: Language = "en") -> gr.Blocks:
    """The page over one agent.

    Args:
        agent: opened; the page does not close it.
        language: of the page's words at the start; answers come in the question's language.
    """
    words = strings(language)
    patients = [
        p for p in agent.rooms.store.patients() if agent.permitted is None or p.subject_id in agent.permitted
    ]
    first = patients[0].subject_id if patients else ALL

    with gr.Blocks(title=words["title"], analytics_enabled=False, fill_width=True) as page:
        turns = gr.State([])
        name = gr.State(lambda: secrets.token_hex(8))
        with gr.Row(elem_classes="cr-head"):
            gr.HTML(_title(language))
            speech = gr.Radio(
                [("English", "en"), ("中文", "zh")],
                value=language,
                label=words["language"],
                scale=0,
                min_width=220,
            )
        with gr.Row():
            with gr.Column(scale=3):
                patient = gr.Dropdown(
                    _choices(patients, language), value=first, label=words["patient"], filterable=True
                )
                banner = gr.HTML(_banner(agent, first, language), elem_classes="cr-banner")
                talk = gr.HTML(
                    conversation((), language),
                    js_on_load=_CLICKS,
                    autoscroll=True,
                    max_height=620,
                    elem_classes="cr-talk",
                )
                question = gr.Textbox(
                    label=words["question"],
                    placeholder=words["question_hint"],
                    lines=2,
                    max_lines=8,
                    autofocus=True,
                    submit_btn=False,
                )
                with gr.Row():
                    ask = gr.Button(words["ask"], variant="primary")
                    stop = gr.Button(words["stop"], variant="stop", interactive=False)
                    clear = gr.Button(words["clear"])
            with gr.Column(scale=2):
                heading = gr.HTML(_heading(language))
                evidence = gr.HTML(_hint(language), max_height=820, elem_classes="cr-evidence")

        def answer(
            text: str, subject: int, seen: list[TurnView], thread: str, tongue: Language
        ) -> Iterator[tuple[Any, ...]]:
            if not text.strip():
                yield seen, conversation(seen, tongue), text, gr.update(), gr.update()
                return
            spoken = language_of(text)
            turn = TurnView(text, spoken)
            yield (
                [*seen, turn],
                conversation([*seen, turn], tongue),
                "",
                gr.update(interactive=False),
                gr.update(interactive=True),
            )
            try:
                for event in agent.stream(text, patient=subject or None, conversation=thread):
                    turn = turn.after(event)
                    yield (
                        [*seen, turn],
                        conversation([*seen, turn], tongue),
                        gr.update(),
                        gr.update(),
                        gr.update(),
                    )
            except Stopped:
                turn = TurnView(text, spoken, error=strings(tongue)["stopped"])
            except ChartroomError as error:
                turn = TurnView(text, spoken, error=str(error))
            yield (
                [*seen, turn],
                conversation([*seen, turn], tongue),
                gr.update(),
                gr.update(interactive=True),
                gr.update(interactive=False),
            )

        def show(seen: list[TurnView], tongue: Language, event: gr.EventData) -> str:
            picked = getattr(event, "_data", None) or {}
            number, wanted = picked.get("turn"), picked.get("evidence")
            if isinstance(number, int) and 0 <= number < len(seen):
                found = seen[number].answer
                for piece in found.evidence if found else ():
                    if piece.id == wanted:
                        return card(piece, agent.rooms.store, tongue)
            return _hint(tongue)

        def start_over(tongue: Language, thread: str) -> tuple[Any, ...]:
            agent.forget(thread)
            return [], conversation((), tongue), _hint(tongue), secrets.token_hex(8)

        def retitle(tongue: Language, subject: int, seen: list[TurnView]) -> tuple[Any, ...]:
            new = strings(tongue)
            return (
                gr.update(choices=_choices(patients, tongue), label=new["patient"]),
                _banner(agent, subject, tongue),
                conversation(seen, tongue),
                gr.update(label=new["question"], placeholder=new["question_hint"]),
                gr.update(value=new["ask"]),
                gr.update(value=new["stop"]),
                gr.update(value=new["clear"]),
                _heading(tongue),
            )

        outputs = [turns, talk, question, ask, stop]
        for trigger in (ask.click, question.submit):
            trigger(
                answer,
                [question, patient, turns, name, speech],
                outputs,
                show_progress="hidden",
                concurrency_limit=4,
                concurrency_id="ask",
            )
        stop.click(agent.stop, [name], None, queue=False)
        talk.click(show, [turns, speech], [evidence], queue=False).then(None, None, None, js=_SHOW_MARK)
        patient.change(
            lambda subject, tongue: _banner(agent, subject, tongue), [patient, speech], [banner], queue=False
        ).then(start_over, [speech, name], [turns, talk, evidence, name])
        clear.click(start_over, [speech, name], [turns, talk, evidence, name])
        speech.change(
            retitle, [speech, patient, turns], [patient, banner, talk, question, ask, stop, clear, heading]
        )
    return page


def style() -> str:
    """The page's style sheet, light and dark."""
    return files("agent.ui").joinpath("style.css").read_text(encoding="utf-8")


def _choices(patients: list[Patient], language: Language) -> list[tuple[str, int]]:
    return [(strings(language)["all_patients"], ALL)] + [
        (" · ".join(str(x) for x in (p.subject_id, p.name, p.gender, (p.dob or "")[:10]) if x), p.subject_id)
        for p in patients
    ]


def _title(language: Language) -> str:
    words = strings(language)
    return f"<h1>{escape(words['title'])}</h1><p>{escape(words['tagline'])}</p>"


def _heading(language: Language) -> str:
    return f"<h2>{escape(strings(language)['evidence'])}</h2>"


def _hint(language: Language) -> str:
    return f'<div class="cr-empty">{escape(strings(language)["evidence_hint"])}</div>'


def _banner(agent: ClinicalAgent, subject: int, language: Language) -> str:
    words = strings(language)
    scope = agent.scope(subject or None)
    if subject == ALL:
        who = words["all_patients"]
    else:
        known = next((p for p in agent.rooms.store.patients() if p.subject_id == subject), None)
        who = " · ".join(
            str(x)
            for x in (
                f"{words['patient']} {subject}",
                known.name if known else None,
                known.gender if known else None,
                (known.dob or "")[:10] if known else None,
            )
            if x
        )
    return (
        f'<div class="cr-scope"><b>{escape(words["in_scope"])}:</b> {escape(who)} '
        f"<span>{escape(words['now'])}: {escape(scope.now)}</span></div>"
    )
