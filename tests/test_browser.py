"""The browser that judges the pages sees what is wrong with one."""

import pytest

pytestmark = pytest.mark.browser

GOOD = "<!doctype html><html lang=en><title>t</title><main><h1>Heading</h1><p>Text</p></main></html>"


def test_a_good_page_has_no_fault(visit, tmp_path):
    (tmp_path / "good.html").write_text(GOOD)
    seen = visit(tmp_path / "good.html")
    assert (seen.said, seen.outside, seen.violations(), seen.overflow()) == ([], [], [], 0)


def test_every_fault_is_seen(visit, tmp_path):
    bad = "<p style='color: #bbb; width: 900px'>pale</p><img src='https://other.example/x.png'>"
    bad += "<script>console.error('oh'); nothing()</script>"
    (tmp_path / "bad.html").write_text(GOOD.replace("<p>Text</p>", bad))
    seen = visit(tmp_path / "bad.html", window=(375, 800))
    assert {"oh", "nothing is not defined"} <= set(seen.said)
    assert seen.outside == ["https://other.example/x.png"]
    assert {line.split(":")[0] for line in seen.violations()} == {"color-contrast", "image-alt"}
    assert seen.overflow() > 400
