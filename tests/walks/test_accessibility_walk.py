"""axe-core on every page and those it leads to, light and dark, wide and narrow: nothing serious or critical."""

import re
from pathlib import Path

import pytest
from workbench_driver import EXAMPLES, PAGES, PHONE, WIDE, ask, consult, report

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def violations(page) -> list[str]:
    """What axe-core calls serious or critical, with the elements it means."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then((made) => made.violations)")
    return [
        f"{item['id']} ({item['impact']}): {[node['html'][:120] for node in item['nodes'][:3]]}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]


def looked_at(page) -> None:
    """The page as it is now: wide and light, then narrow and dark."""
    for size, scheme in ((page.viewport_size, "light"), (PHONE, "dark")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour half way to the next
        assert violations(page) == [], (page.url, scheme)


def test_a_page_that_is_none(page, watch):
    page.goto("/consult/none")
    looked_at(page)
    watch.forgive("404")


def test_a_consult_with_its_cards(page):
    consult(page, (EXAMPLES / "arterial-rupture.txt").read_text(encoding="utf-8"))
    for row in (".note .finding", "main tbody button", ".statement .cite"):
        page.locator(row).first.click()
        page.locator("#why .empty").wait_for(state="detached")
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], row
    for summary in page.locator("details > summary").all():
        summary.click()
    looked_at(page)


def test_red_flags(page):
    consult(page, (EXAMPLES / "chest-pain.zh.txt").read_text(encoding="utf-8"))
    looked_at(page)


def test_an_answer_and_the_keys(page):
    ask(page, "What causes scurvy?")
    looked_at(page)
    page.keyboard.press("?")
    assert violations(page) == []


def test_a_draft_report(page):
    report(page, "cough-and-fever.dialogue.txt")
    page.locator(".statement .cite").first.click()
    page.locator("#why .passage").wait_for()
    looked_at(page)


@pytest.mark.parametrize("address", [*PAGES, "/sign-in"])
def test_page_and_where_it_leads(page, address):
    assert page.goto(address).ok
    looked_at(page)
    page.set_viewport_size(WIDE)
    links = "main a[href^='/']:not([download]):not([role=button])"
    found = page.locator(links).evaluate_all("links => links.map((link) => link.getAttribute('href'))")
    for link in {re.sub(r"\w-\d{8}-\w+|\?.*|#.*", "", link): link for link in found}.values():  # one of a kind
        answered = page.request.get(link, headers={"Accept": "text/html"})
        if answered.headers["content-type"].startswith("text/html"):  # the rest are exports
            assert page.goto(link).ok, link
            assert violations(page) == [], link
