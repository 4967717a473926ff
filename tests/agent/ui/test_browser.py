"""The page in a real browser: ask, open a citation, stop; nothing from outside, nothing that a record says is run."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served import HOSTILE, HOSTILE_NOTE_ID, Served

from agent.answer import NoteEvidence

TURNING = "What does the note say about turning?"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """An open page; at the end of each test nothing was asked of another host, complained of, or run."""
    opened = browser.new_page(viewport={"width": 1280, "height": 860})
    requested, complaints = [], []
    opened.on("request", lambda request: requested.append(request.url))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))
    opened.goto(served.address)
    expect(opened.locator(".cr-example").first).to_be_visible()
    yield opened
    opened.close()
    local = (served.address, served.address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in requested if not url.startswith(local)] == []
    assert not [url for url in requested if "creatinine" in url]
    assert complaints == []


def ask(page: Page, question: str) -> None:
    """Type a question, send it with Enter, wait for its answer."""
    before = page.locator(".cr-turn").count()
    box = page.locator("#cr-ask textarea")
    box.fill(question)
    box.press("Enter")
    expect(page.locator(".cr-turn")).to_have_count(before + 1)
    expect(page.locator(".cr-turn").last.locator(".cr-foot, [role=alert]").first).to_be_visible(
        timeout=30_000
    )


def choose_patient(page: Page, typed: str, label: str) -> None:
    """Find a patient by typing a part of the label."""
    box = page.locator(".cr-who input")
    box.click()
    page.wait_for_function("() => getSelection().toString().length > 0")  # a click selects what stands there
    page.keyboard.type(typed)
    expect(page.get_by_role("option")).to_have_count(1)
    page.get_by_role("option", name=label).click()
    expect(page.locator(".cr-scope")).to_contain_text(label)


def note_evidence(served: Served) -> list[NoteEvidence]:
    """What the answer to the question about turning rests on."""
    found = served.agent.ask(TURNING, patient=2).evidence
    return [piece for piece in found if isinstance(piece, NoteEvidence)]


def test_a_row_citation_opens_with_the_keyboard_and_closes_back_to_its_number(page: Page) -> None:
    ask(page, "What was the latest creatinine?")
    expect(page.locator(".cr-text").last).to_contain_text("1.9 mg/dL")
    chip = page.locator(".cr-cite").first
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cr-card")).to_be_focused()
    expect(page.locator(".cr-card mark", has_text="1.9").first).to_be_visible()
    expect(page.locator(".cr-whose")).to_contain_text("王芳")
    page.keyboard.press("Escape")
    expect(page.locator(".cr-card")).to_have_count(0)
    expect(chip).to_be_focused()


def test_a_chinese_question_gets_a_chinese_answer_and_the_switch_changes_all_words(page: Page) -> None:
    page.get_by_text("中文", exact=True).click()
    expect(page.get_by_role("button", name="提问")).to_be_visible()
    shown = page.locator("main").inner_text()
    for word in ("Patient", "Ask", "Stop", "Evidence", "In scope", "female", "What was"):
        assert word not in shown
    ask(page, "最近一次肌酐是多少？")
    expect(page.locator(".cr-text").last).to_contain_text("1.9")
    assert page.locator(".cr-answer").last.get_attribute("lang") == "zh"
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_a_note_citation_highlights_exactly_the_quoted_span(page: Page, served: Served) -> None:
    choose_patient(page, "Sample", "John Sample")
    ask(page, TURNING)
    quoted = note_evidence(served)
    assert quoted
    for piece in quoted:
        page.locator(f".cr-cite[data-evidence='{piece.id}']").first.click()
        expect(page.locator(".cr-number")).to_contain_text(str(piece.id))
        assert page.locator(".cr-note mark").text_content() == piece.quote


def test_what_a_note_says_is_shown_and_never_run(page: Page, served: Served) -> None:
    choose_patient(page, "Sample", "John Sample")
    ask(page, TURNING)
    number = next(piece.id for piece in note_evidence(served) if piece.note_id == HOSTILE_NOTE_ID)
    page.locator(f".cr-cite[data-evidence='{number}']").first.click()
    expect(page.locator(".cr-note")).to_contain_text(HOSTILE)
    expect(page.locator(".cr-what")).to_contain_text(HOSTILE)
    assert page.locator(".cr-card img, .cr-card script, .cr-turns img, .cr-turns script").count() == 0


def test_a_follow_up_keeps_the_evidence_of_the_turn_before(page: Page) -> None:
    ask(page, "What was the latest creatinine?")
    ask(page, "and the potassium?")
    page.locator(".cr-turn").first.locator(".cr-cite").click()
    expect(page.locator(".cr-card")).to_contain_text("Creatinine")


def test_stop_stops(page: Page, served: Served) -> None:
    served.planner.reached.clear()
    served.planner.go.clear()
    box = page.locator("#cr-ask textarea")
    box.fill("hold: what was the latest creatinine?")
    box.press("Enter")
    assert served.planner.reached.wait(10)
    expect(page.locator(".cr-now")).to_contain_text("Plan")
    page.get_by_role("button", name="Stop").click()
    running = served.agent._running
    page.wait_for_function("() => document.querySelector('.cr-running') !== null")
    [run] = running.values()
    assert run.stopped.wait(10)
    served.planner.go.set()
    expect(page.locator(".cr-turn [role=alert]")).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    assert not running
    ask(page, "What was the latest creatinine?")
    expect(page.locator(".cr-text").last).to_contain_text("1.9 mg/dL")


def test_another_patient_begins_another_conversation(page: Page) -> None:
    ask(page, "What was the latest creatinine?")
    page.locator(".cr-cite").first.click()
    expect(page.locator(".cr-card")).to_be_visible()
    choose_patient(page, "M0002", "John Sample")
    expect(page.locator(".cr-turn")).to_have_count(0)
    expect(page.locator(".cr-card")).to_have_count(0)


def test_an_example_is_asked_with_one_click(page: Page) -> None:
    page.locator(".cr-example").first.click()
    expect(page.locator(".cr-text").last).to_contain_text("1.9 mg/dL")


def test_enter_in_a_chinese_composition_does_not_send(page: Page) -> None:
    box = page.locator("#cr-ask textarea")
    box.fill("肌酐")
    box.evaluate(
        "e => e.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    box.press("Shift+Enter")
    expect(box).to_have_value("肌酐\n")
    assert page.locator(".cr-turn").count() == 0


def test_a_narrow_window_needs_no_sideways_scrolling(page: Page) -> None:
    page.set_viewport_size({"width": 380, "height": 720})
    ask(page, "What was the latest creatinine?")
    page.locator(".cr-cite").first.click()
    expect(page.locator(".cr-card")).to_be_in_viewport()
    expect(page.locator(".cr-scope")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


@pytest.mark.parametrize(("theme", "other"), [("light", "dark"), ("dark", "light")])
def test_a_chart_is_one_picture_that_suits_the_ground(
    page: Page, served: Served, theme: str, other: str
) -> None:
    page.goto(f"{served.address}?__theme={theme}")
    expect(page.locator(".cr-example").first).to_be_visible()
    ask(page, "plot creatinine")
    expect(page.locator(f".cr-chart-{theme}")).to_be_visible()
    expect(page.locator(f".cr-chart-{other}")).to_be_hidden()
