"""The review page in a real browser, from what is read to what is in the file."""

import pytest

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.ckepe.reviewing import ReviewSheet, save_review
from merl.files import sha256
from merl.report.prompt_page import prompt_page
from tests.browser import DESKTOP, PHONE
from tests.report.conftest import HOSTILE, SCRIPT

pytestmark = pytest.mark.browser
ANNA, BERT = "A. Example, cardiologist", "B. Example, nurse"


@pytest.fixture
def review(visit, serve, prompt_file):
    """A function that opens the page of the prompt file, as the person named."""
    server = serve(prompt_file)

    def begin(by=ANNA, **options):
        seen = visit(server.url, **options)
        if by:
            seen.page.fill("#by", by)
            seen.page.press("#by", "Tab")
        return seen

    begin.server = server
    return begin


def save(page):
    with page.expect_navigation():
        page.click("#save")


def phrases(path, code="AFIB"):
    return PromptSet.load(path).classes[code].prompts


def faultless(seen):
    return (seen.said, seen.outside, seen.overflow(), seen.violations()) == ([], [], 0, [])


def test_what_is_done_on_the_page_is_in_the_file(review, prompt_file):
    seen = review()
    page = seen.page
    page.check("#p0-0 .tick input")
    page.click("#p0-1 .edit")
    page.fill("#p0-1 .editor textarea", "irregular  RR\nintervals")
    page.select_option("#p0-1 .editor [name=role]", "criterion")
    page.click("#p0-1 .editor .primary")
    page.fill("#p0-2 .comment textarea", "only if slow <b>")
    page.click("#p0-3 .remove")
    assert page.inner_text("#count") == "2 of 5 ticked"
    assert page.inner_text("#save") == "Save (4)"
    page.click("#class-0 .new")
    page.fill("#class-0 .editor textarea", "f waves in V1")
    page.press("#class-0 .editor textarea", "Enter")
    save(page)

    assert page.inner_text("#status") == "Saved in mine.yaml"
    assert page.inner_text("#save") == "Save"
    name, edited, commented, added = phrases(prompt_file)
    assert name.agreed == (ANNA,)
    assert not name.edited
    assert (edited.text, edited.role, edited.edited) == ("irregular RR intervals", "criterion", True)
    assert edited.agreed == (ANNA,)
    assert [(mark.by, mark.agreed, mark.comment) for mark in commented.reviews] == [
        (ANNA, False, "only if slow <b>")
    ]
    assert (added.text, added.edited, added.agreed) == ("f waves in V1", True, (ANNA,))
    rejected = PromptSet.load(prompt_file).classes["AFIB"].rejected
    assert [line.reason for line in rejected] == ["not supported", f"removed in review by {ANNA}"]
    assert PromptSet.load(prompt_file).reviewed_by[0].by == ANNA

    page.reload()
    assert page.is_checked("#p0-0 .tick input")
    assert page.input_value("#p0-2 .comment textarea") == "only if slow <b>"
    assert page.inner_text("#p0-1 .text") == "irregular RR intervals"
    assert page.is_visible("#p0-1 .edited")
    assert page.inner_text("#save") == "Save"
    page.uncheck("#p0-0 .tick input")
    save(page)
    assert phrases(prompt_file)[0].reviews == ()
    assert faultless(seen)


def test_it_is_done_with_the_keyboard_alone(review, prompt_file):
    page = review(by=None).page
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if reached[-1] == "by":
            break
    page.keyboard.type(ANNA)
    while page.evaluate("!document.activeElement.matches('.tick input')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")  # Edit
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("P waves")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "quiet edit"
    page.keyboard.press("Enter")
    page.keyboard.type("thrown away")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")  # Remove
    page.keyboard.press("Tab")  # the evidence's source
    page.keyboard.press("Tab")
    page.keyboard.type("short")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    found = phrases(prompt_file)
    assert [bool(phrase.agreed) for phrase in found] == [True, False, True, False]
    assert (found[2].text, found[2].reviews[0].comment) == ("P waves", "short")


def test_what_others_wrote_is_text_and_never_run(review, prompt_file):
    seen = review(by=SCRIPT)
    page = seen.page
    for cell in (".text", "h2", ".rejected li"):
        assert any(SCRIPT in text for text in page.locator(f"#class-1 {cell}").all_text_contents())
    page.fill("#p1-1 .comment textarea", SCRIPT)
    page.click("#p1-1 .edit")
    assert page.input_value("#p1-1 .editor textarea") == HOSTILE
    page.fill("#p1-1 .editor textarea", f"{SCRIPT} {HOSTILE}")
    page.click("#p1-1 .editor .primary")
    save(page)
    assert phrases(prompt_file, HOSTILE)[1].text == f"{SCRIPT} {HOSTILE}"
    assert page.inner_text("#p1-1 .text") == f"{SCRIPT} {HOSTILE}"
    page.fill("#by", ANNA)
    page.press("#by", "Tab")
    assert page.locator("#p1-1 .marks li").inner_text().count("<script>") == 2
    assert page.locator("script").count() == 2  # the page's own, and its facts
    assert faultless(seen)


def test_two_reviewers_see_each_other_and_keep_their_own_marks(review, prompt_file):
    first = review().page
    first.check("#p0-1 .tick input")
    first.fill("#p0-1 .comment textarea", "always")
    save(first)
    second = review(by=BERT).page
    assert not second.is_checked("#p0-1 .tick input")
    assert "always" in second.inner_text("#p0-1 .marks")
    second.click("#p0-1 .edit")
    second.fill("#p0-1 .editor textarea", "RR intervals without order")
    second.click("#p0-1 .editor .primary")
    save(second)
    phrase = phrases(prompt_file)[1]
    assert [mark.by for mark in phrase.reviews] == [ANNA, BERT]
    assert phrase.agreed == (BERT,)
    second.fill("#by", ANNA)
    second.press("#by", "Tab")
    assert "agreed to an earlier wording" in second.inner_text("#p0-1 .marks")
    assert not second.is_checked("#p0-1 .tick input")


def test_a_file_changed_meanwhile_loses_nothing(review, prompt_file):
    seen = review()
    page = seen.page
    page.check("#p0-0 .tick input")
    page.fill("#p0-3 .comment textarea", "who wrote this?")
    page.click("#class-0 .new")
    page.fill("#class-0 .editor textarea", "f waves in V1")
    page.press("#class-0 .editor textarea", "Enter")
    text = prompt_file.read_text().replace("a foreign phrase", "a better phrase")
    prompt_file.write_text(text)
    page.click("#save")
    page.wait_for_selector("#notice:not([hidden])")
    assert "mine.yaml was changed by someone else since this review began" in page.inner_text("#notice")
    assert prompt_file.read_text() == text
    with page.expect_navigation():
        page.click("text=Read the file again and put my review on it")
    notice = page.inner_text("#notice")
    assert "AFIB: a foreign phrase; who wrote this?" in notice
    assert page.is_checked("#p0-0 .tick input")
    page.check("#p0-1 .tick input")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    assert "AFIB: a foreign phrase; who wrote this?" in page.inner_text("#notice")
    save(page)
    assert "AFIB: a foreign phrase; who wrote this?" in page.inner_text("#notice")
    name, *_, better, added = phrases(prompt_file)
    assert (name.agreed, better.text, better.reviews, added.text) == (
        (ANNA,),
        "a better phrase",
        (),
        "f waves in V1",
    )
    assert ["409" in line for line in seen.said] == [True]  # the browser itself tells of the refusal


def test_nothing_is_saved_without_a_name_and_unsaved_work_comes_back(review, prompt_file):
    before = prompt_file.read_bytes()
    page = review(by="").page
    page.check("#p0-0 .tick input")
    page.click("#save")
    assert page.evaluate("document.activeElement.id") == "by"
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]
    assert page.is_checked("#p0-0 .tick input")
    assert "back on this page" in page.inner_text("#notice")
    with page.expect_navigation():
        page.click("text=Discard it")
    assert not page.is_checked("#p0-0 .tick input")
    assert prompt_file.read_bytes() == before


def test_a_server_that_was_stopped_is_told_and_the_review_kept_as_a_file(review, prompt_file):
    page = review().page
    page.check("#p0-0 .tick input")
    review.server.shutdown()
    review.server.server_close()
    page.click("#save")
    page.wait_for_selector("#notice:not([hidden])")
    assert "was merl prompts review stopped?" in page.inner_text("#notice")
    with page.expect_download() as kept:
        page.click("text=Keep as a file")
    sheet = ReviewSheet.read(kept.value.path().read_bytes(), "the sheet")
    assert phrases_after(prompt_file, sheet)[0].agreed == (ANNA,)


def phrases_after(path, sheet):
    return save_review(path, sheet).classes["AFIB"].prompts


def test_only_open_or_marked_phrases_are_shown_on_demand(review):
    page = review().page
    page.fill("#p0-3 .comment textarea", "who wrote this?")
    page.select_option("#show", "marked")
    page.click("#class-0 .rest")
    assert page.inner_text("#count") == "0 of 6 ticked"  # what is not shown is not agreed to
    page.fill("#p0-3 .comment textarea", "")
    page.select_option("#show", "all")
    page.click("#class-0 .rest")
    page.uncheck("#p0-2 .tick input")
    page.fill("#p0-2 .comment textarea", "why")
    page.select_option("#show", "open")
    assert page.locator("tbody tr:visible").count() == 3
    page.select_option("#show", "marked")
    assert page.locator("tbody tr:visible").count() == 4
    assert page.inner_text("[data-tally='0']") == "3/4"


def test_a_class_of_which_nothing_is_left_is_warned_about(review):
    page = review().page
    assert page.is_hidden("#class-1 .empty")
    page.click("#p1-0 .remove")
    page.click("#p1-1 .remove")
    assert page.is_visible("#class-1 .empty")
    page.click("#p1-1 .remove")
    assert page.is_hidden("#class-1 .empty")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Forty classes of 23 phrases with long words, in a page to be sent."""
    long = Phrase(text="pseudo" * 40, sources=("ecg:AFIB#findings/0", "ecg:AFIB#findings/1"))
    phrase = Phrase(text="irregularly irregular RR intervals", sources=("ecg:AFIB#findings/0",))
    classes = {
        f"CLASS{i}": ClassPrompts(name=f"class {i}", prompts=(long, *[phrase] * 22)) for i in range(40)
    }
    path = tmp_path_factory.mktemp("large") / "large.yaml"
    PromptSet(label_set="large", generator=Generator(kind="manual"), classes=classes).save(path)
    page = path.with_suffix(".html")
    page.write_text(prompt_page(PromptSet.load(path), file=path.name, sha256=sha256(path)))
    return page


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_forty_classes_of_23_phrases_are_one_page_without_fault(visit, large, window):
    seen = visit(large, window=window)
    assert seen.page.inner_text("#count") == "0 of 920 ticked"
    seen.page.check("#p39-22 .tick input")
    assert seen.page.inner_text("#count") == "1 of 920 ticked"
    assert (seen.said, seen.outside, seen.overflow()) == ([], [], 0)
    assert large.stat().st_size < 1.5e6


@pytest.mark.parametrize("options", [{"dark": True}, {"window": PHONE}], ids=["dark", "phone"])
def test_nothing_hinders_reading_in_the_dark_and_on_a_phone(review, options):
    seen = review(**options)
    page = seen.page
    page.check("#p0-0 .tick input")
    page.click("#p0-1 .remove")
    page.click("#p0-2 .edit")
    page.fill("#p0-3 .comment textarea", "why")
    assert faultless(seen)


def test_on_paper_there_are_boxes_to_tick_and_nothing_to_click(review):
    page = review().page
    page.emulate_media(media="print")
    assert page.locator("button:visible").count() == 0
    assert page.is_hidden("#bar")
    assert page.is_visible(".sign")
    assert page.locator(".tick input:visible").count() == 6
