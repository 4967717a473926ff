"""The Gradio page: pick a patient, ask, watch the steps, click a citation, stop.

Only layout and wiring; what happens is in ``agent.ui.desk``, how it looks in ``render``, ``cards`` and
``style.css``, what the browser does by itself in the ``.js`` files.
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import gradio as gr

from agent.agent import ClinicalAgent
from agent.answer import Language
from agent.ui.desk import Desk, Shown, new_conversation
from agent.ui.escape import escape
from agent.ui.patients import ALL, choices, scope_line
from agent.ui.render import TurnView, conversation, hint
from agent.ui.strings import strings

_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_TITLE_JS = "(language) => { document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'; }"


def build_page(agent: ClinicalAgent, *, language: Language = "en") -> gr.Blocks:
    """The page over one agent.

    Args:
        agent: opened; the page does not close it.
        language: of the page's words at the start; answers come in the question's language.
    """
    desk, words = Desk(agent), strings(language)
    first = next(iter(desk.patients), ALL)

    def scope_of(subject: int, tongue: Language) -> str:
        known = desk.patients.get(subject)
        return scope_line(known, agent.scope(subject or None).now, tongue)

    with gr.Blocks(title=words["title"], analytics_enabled=False, fill_width=True) as page:
        turns = gr.State([])
        shown = gr.State(None)
        name = gr.State("", delete_callback=desk.forget)  # named at the first question
        with gr.Row(elem_classes="cr-head"):
            title = gr.HTML(_title(language))
            speech = gr.Radio(
                [("English", "en"), ("中文", "zh")],
                value=language,
                label=words["language"],
                show_label=False,
                container=False,
                scale=0,
                min_width=210,
            )
        with gr.Row(elem_classes="cr-who"):
            patient = gr.Dropdown(
                choices(desk.patients, language),
                value=first,
                label=words["patient"],
                filterable=True,
                container=False,
                scale=1,
                min_width=300,
            )
            banner = gr.HTML(scope_of(first, language), elem_id="cr-banner")
        with gr.Row(elem_classes="cr-main"):
            with gr.Column(scale=3, min_width=320):
                talk = gr.HTML(
                    conversation((), language, many=first == ALL),
                    js_on_load=_script("talk.js"),
                    autoscroll=True,
                    elem_id="cr-talk",
                )
                question = gr.Textbox(
                    label=words["question"],
                    placeholder=words["question_hint"],
                    lines=1,  # more, and Enter would make a new line
                    max_lines=8,
                    autofocus=True,
                    elem_id="cr-ask",
                    container=False,
                )
                with gr.Row(elem_classes="cr-buttons"):
                    ask = gr.Button(words["ask"], variant="primary", min_width=80)
                    stop = gr.Button(words["stop"], variant="stop", interactive=False, min_width=80)
                    clear = gr.Button(words["clear"], min_width=80)
            with gr.Column(scale=2, min_width=320, elem_classes="cr-side"):
                evidence = gr.HTML(hint(language), js_on_load=_script("evidence.js"), elem_id="cr-evidence")

        def answer(
            text: str, subject: int, seen: list[TurnView], thread: str, tongue: Language
        ) -> Iterator[tuple[Any, ...]]:
            keep = gr.skip()
            if not text.strip():
                yield (keep,) * len(changed)
                return
            thread = thread or new_conversation()
            box: Any = ""  # emptied at the first event, then left to the next question
            for seen in desk.ask(text, subject, seen, thread, tongue):  # noqa: B020 - the last one is the new state
                done = seen[-1].is_done
                yield seen, thread, conversation(seen, tongue), box, *_buttons(asking=not done)
                box = keep

        def chosen(event: gr.EventData) -> str:
            given = event._data if isinstance(event._data, dict) else {}
            return str(given.get("question", ""))

        def open_evidence(seen: list[TurnView], tongue: Language, event: gr.EventData) -> tuple[Shown, str]:
            picked = desk.picked(seen, event._data)
            return picked, desk.panel(seen, picked, tongue)

        def start_over(subject: int, tongue: Language, thread: str) -> tuple[Any, ...]:
            desk.stop(thread)
            desk.forget(thread)
            return (
                *([], None, "", conversation((), tongue, many=subject == ALL), hint(tongue)),
                *(scope_of(subject, tongue), *_buttons(asking=False)),
            )

        def retitle(tongue: Language, subject: int, seen: list[TurnView], opened: Shown) -> tuple[Any, ...]:
            new = strings(tongue)
            return (
                _title(tongue),
                gr.update(label=new["language"]),
                gr.update(choices=choices(desk.patients, tongue), label=new["patient"]),
                scope_of(subject, tongue),
                conversation(seen, tongue, many=subject == ALL),
                gr.update(label=new["question"], placeholder=new["question_hint"]),
                *(gr.update(value=new[key]) for key in ("ask", "stop", "clear")),
                desk.panel(seen, opened, tongue),
            )

        given, changed = [question, patient, turns, name, speech], [turns, name, talk, question, ask, stop]
        answering = {**_PRIVATE, "concurrency_limit": 4, "concurrency_id": "ask"}
        asked: list[dict[str, Any]] = [
            gr.on([ask.click, question.submit], answer, given, changed, trigger_mode="once", **answering),
            talk.select(chosen, None, question, **_PRIVATE).then(answer, given, changed, **answering),
        ]
        stop.click(desk.stop, [name], None, queue=False, **_PRIVATE)
        talk.click(open_evidence, [turns, speech], [shown, evidence], queue=False, **_PRIVATE).then(
            None, None, None, js=_script("focus.js")
        )
        evidence.click(
            lambda tongue: (None, hint(tongue)), [speech], [shown, evidence], queue=False, **_PRIVATE
        )
        reset = [turns, shown, name, talk, evidence, banner, ask, stop]
        for trigger in (patient.change, clear.click):
            trigger(start_over, [patient, speech, name], reset, cancels=asked, **_PRIVATE)
        speech.change(
            retitle,
            [speech, patient, turns, shown],
            [title, speech, patient, banner, talk, question, ask, stop, clear, evidence],
            **_PRIVATE,
        ).then(None, [speech], None, js=_TITLE_JS)
    return page


def _script(name: str) -> str:
    return files("agent.ui").joinpath(name).read_text(encoding="utf-8")


def _buttons(*, asking: bool) -> tuple[Any, Any]:
    """Ask and stop: one of them can be pressed."""
    return gr.update(interactive=not asking), gr.update(interactive=asking)


def _title(language: Language) -> str:
    words = strings(language)
    return f"<h1>{escape(words['title'])}</h1><p>{escape(words['tagline'])}</p>"
