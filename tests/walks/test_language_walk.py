"""Every page in Chinese: no message of the catalogue is left in English and nothing is wider than the window.

What a page itself says is in English (`lang="en"`: documents, names of sources, meanings of settings) is not looked at.
"""

import gettext
import re

import pytest
from workbench_driver import BASE, EXAMPLES, PAGES, PHONE, WIDE, ask, consult

SAID = gettext.translation("messages", BASE.parents[1] / "locale", ["zh"])._catalog  # English to Chinese
ENGLISH = sorted(text for text in SAID if isinstance(text, str) and len(text) > 12 and "%(" not in text)
TEXT = """body => {
    const shown = body.cloneNode(true);
    shown.querySelectorAll("[lang=en], pre, script").forEach((part) => part.remove());
    return [shown.textContent, ...[...shown.querySelectorAll("[aria-label]")].map((one) => one.ariaLabel)].join("\\n");
}"""


def in_chinese(page) -> None:
    """The page as it is now, wide and narrow."""
    assert page.locator("html").get_attribute("lang") == "zh-Hans", page.url
    text = page.locator("body").evaluate(TEXT)
    left = [said for said in ENGLISH if re.search(rf"(?<![\w-]){re.escape(said)}(?![\w-])", text)]
    assert not left, (page.url, left)
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], (page.url, wide)


@pytest.fixture
def chinese(page):
    page.goto("/language/zh?to=/ask")
    return page


@pytest.mark.parametrize("address", [*PAGES, "/review", "/sign-in", "/graph/node/MONDO:0007947", "/trust/card"])
def test_a_page_in_chinese(chinese, address):
    assert chinese.goto(address).ok
    in_chinese(chinese)


def test_a_refusal_in_chinese(chinese, watch):
    chinese.goto("/consult/none/evidence")
    in_chinese(chinese)
    assert re.search("[一-鿿]", chinese.locator("h1").inner_text())
    watch.forgive("4..")


@pytest.mark.parametrize("case", ["chest-pain.zh.txt", "arterial-rupture.txt"])
def test_a_consult_and_its_entry_in_chinese(page, case):
    address = consult(page, (EXAMPLES / case).read_text(encoding="utf-8"))
    page.goto("/language/zh?to=/consult")
    for place in (address, address.replace("/consult/", "/ledger/")):
        assert page.goto(place).ok
        in_chinese(page)


def test_an_answer_in_chinese(page):
    address = ask(page, "What causes scurvy?")
    page.goto("/language/zh?to=/ask")
    page.goto(address)
    in_chinese(page)
