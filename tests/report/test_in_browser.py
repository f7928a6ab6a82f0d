"""The report in headless Chromium: as people meet it on a desk, on a phone, in the dark and on paper."""

import pytest

from merl.report.page import save_report
from merl.report.sections import PRINTED_HEIGHT
from tests.browser import PHONE
from tests.report.comparisons import compare

pytestmark = pytest.mark.browser

SKILLS = {"plain": 0.5, "mine": 3, "other": 2, "shuffled": 0}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Few classes, with text that tries to become markup."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    save_report(compare(["A/1", "B"], SKILLS, hostile=True), path)
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """40 classes of 23 phrases each."""
    path = tmp_path_factory.mktemp("report") / "large.html"
    classes = [f"CLASS {number}" for number in range(40)]
    save_report(compare(classes, {"plain": 0.5, "mine": 3}, phrases=23), path)
    return path


def open_all(seen):
    seen.page.get_by_role("button", name="Open all").click()
    seen.page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_read_it(visit, report, dark):
    seen = visit(report, dark=dark)
    open_all(seen)
    assert seen.violations() == []
    assert (seen.said, seen.outside) == ([], [])


def test_dark_is_dark(visit, report):
    colour = "getComputedStyle(document.body).backgroundColor"
    assert visit(report).page.evaluate(colour) == "rgb(255, 255, 255)"
    seen = visit(report, dark=True)
    assert seen.page.evaluate(colour) == "rgb(20, 23, 27)"
    stroke = "getComputedStyle(document.querySelector('path.trace')).stroke"
    assert seen.page.evaluate(stroke) == "rgb(242, 239, 233)"


def test_a_phone_need_not_scroll_sideways(visit, large):
    seen = visit(large, window=PHONE)
    open_all(seen)
    assert seen.overflow() == 0
    assert seen.page.locator(".forest .narrow svg").first.is_visible()
    assert not seen.page.locator(".forest .wide svg").first.is_visible()


def test_forty_classes_open_in_two_seconds(visit, large):
    assert large.stat().st_size < 8_000_000
    seen = visit(large)
    assert 0 < seen.seconds() < 2
    assert seen.page.locator("details.class").count() == 40
    assert seen.page.locator("details.class").last.locator(".column").last.locator("li").count() >= 23


def test_a_citation_shows_its_passage_to_a_keyboard(visit, report):
    seen = visit(report)
    keys, focused = seen.page.keyboard, seen.page.locator(":focus")
    seen.page.locator("details.class > summary").first.focus()
    keys.press("Enter")
    while "cite" not in (focused.get_attribute("class") or ""):
        keys.press("Tab")
    note = seen.page.locator("#note")
    assert note.is_visible()
    assert note.inner_text().startswith("passage ecg:A/1#findings/0 <script>")
    keys.press("Escape")
    assert not note.is_visible()
    keys.press("Enter")
    assert note.is_visible()
    keys.press("Tab")
    assert "passage ecg:A/1#absent/0" in note.inner_text()


def test_a_citation_shows_its_passage_to_a_pointer(visit, report):
    seen = visit(report)
    seen.page.locator("details.class > summary").first.click()
    cite, note = seen.page.locator("a.cite:visible").first, seen.page.locator("#note")
    cite.hover()
    assert note.is_visible()
    note.hover()
    seen.page.wait_for_timeout(400)
    assert note.is_visible()  # the pointer may go there, as WCAG 1.4.13 asks
    seen.page.locator("h1").hover()
    note.wait_for(state="hidden")
    cite.click()
    seen.page.locator("h1").hover()
    seen.page.wait_for_timeout(400)
    assert note.is_visible()  # a click keeps it, so that its text can be read and copied
    seen.page.locator("h1").click()
    assert not note.is_visible()


def test_a_citation_that_the_keyboard_scrolls_to_keeps_its_passage(visit, report):
    seen = visit(report, window=(1280, 300))
    open_all(seen)
    seen.page.evaluate("scrollTo(0, 0)")
    last, note = seen.page.locator("a.cite:visible").last, seen.page.locator("#note")
    last.focus()
    seen.page.wait_for_function("scrollY > 1000")
    seen.page.wait_for_timeout(300)
    assert note.is_visible()
    cite, box = last.bounding_box(), note.bounding_box()
    gaps = abs(box["y"] - cite["y"] - cite["height"]), abs(cite["y"] - box["y"] - box["height"])
    assert min(gaps) == pytest.approx(6, abs=1)  # it went along


def test_long_words_break(visit, tmp_path):
    word = "W" * 120
    save_report(compare([f"C{word}"], {"plain": 0.5, word: 3, "shuffled": 0}), tmp_path / "long.html")
    for window in (PHONE, (1280, 900)):
        seen = visit(tmp_path / "long.html", window=window)
        open_all(seen)
        assert seen.overflow() == 0
        outside = """[...document.querySelectorAll('main :is(p, li, span, h3, summary, figcaption)')]
            .filter(one => !one.closest('.scroll, .hidden') && one.getBoundingClientRect().right > innerWidth)
            .map(one => one.outerHTML)"""
        assert seen.page.evaluate(outside) == []


def test_an_address_that_leads_nowhere_does_no_harm(visit, report):
    seen = visit(f"{report.as_uri()}#%")
    open_all(seen)
    assert seen.said == []


def test_without_scripts_a_citation_leads_to_its_passage(visit, report):
    seen = visit(report, java_script_enabled=False)
    seen.page.locator("details.class > summary").first.click()
    seen.page.locator("a.cite:visible").first.click()
    assert seen.page.locator("#p1").is_visible()
    assert seen.page.get_by_role("button", name="Open all").count() == 0


def test_an_address_opens_what_it_names(visit, report):
    seen = visit(f"{report.as_uri()}#p1")
    assert seen.page.locator("#p1").is_visible()


def test_on_paper_all_phrases_are_there_and_ecgs_that_were_open(visit, report):
    seen = visit(report, dark=True)
    seen.page.locator("details.class > summary").first.click()
    seen.page.locator("details.ecgs > summary:visible").first.click()
    drawn = seen.page.locator("svg.ecg:visible").count()
    assert drawn == 3
    seen.page.emulate_media(media="print", color_scheme="dark")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert seen.page.locator("details.class .phrases:visible").count() > 20
    assert seen.page.locator("#p1").is_visible()
    assert seen.page.locator("svg.ecg:visible").count() == drawn
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.locator("svg.ecg:visible").first.bounding_box()["width"] == pytest.approx(1020.5, abs=1)
    height = "getComputedStyle(document.querySelector('svg.ecg')).maxHeight"
    assert float(seen.page.evaluate(height)[:-2]) * 25.4 / 96 == pytest.approx(PRINTED_HEIGHT, abs=0.1)
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert seen.page.locator("details.class[open]").count() == 1
