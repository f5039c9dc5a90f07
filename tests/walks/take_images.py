"""The pictures of the docs, taken from the real server: `python tests/walks/take_images.py [NAME ...]`.

Needs Pillow (`pip install 'osler[imaging]'`), which packs them into a palette.
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from workbench_driver import EXAMPLES, PAGES, PHONE, ROOT, WIDE, ask, browsing, consult, report, serving, signed_in

IMAGES = ROOT / "docs" / "images"
MOST = 200_000  # bytes of a picture


def main() -> None:
    wanted = sys.argv[1:]
    with (
        tempfile.TemporaryDirectory(prefix="osler-") as folder,
        serving(Path(folder) / "home") as served,
        browsing() as browser,
    ):
        state = signed_in(browser, served)
        for name, (steps, size, scheme) in shots().items():
            if wanted and name not in wanted:
                continue
            context = browser.new_context(
                base_url=served.address, storage_state=state, viewport=size, color_scheme=scheme, locale="en-GB"
            )
            page = context.new_page()
            steps(page)
            page.wait_for_load_state("networkidle")
            IMAGES.mkdir(exist_ok=True)
            file = IMAGES / f"{name}.png"
            taken = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
            taken.convert("RGB").quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                file, optimize=True
            )
            assert file.stat().st_size <= MOST, file
            print(file.name, file.stat().st_size)
            context.close()


def shots() -> dict:
    """What is taken: the steps to it, the size of the window, light or dark."""
    made = {
        "consult": (row, WIDE, "light"),
        "consult-dark": (cited, WIDE, "dark"),
        "consult-phone": (found, PHONE, "light"),
        "red-flags": (flagged, WIDE, "light"),
        "ask": (answered, WIDE, "light"),
        "keys": (keys, WIDE, "light"),
    }
    others = {"/reports": reported, "/graph": related, "/library": searched}
    made |= {
        address[1:]: (others.get(address, opening(address)), WIDE, "light")
        for address in PAGES
        if address not in ("/consult", "/ask")
    }
    return made


def opening(address: str):
    return lambda page: page.goto(address)


def sample(page, name: str) -> None:
    consult(page, (EXAMPLES / name).read_text(encoding="utf-8"))


def row(page) -> None:
    sample(page, "arterial-rupture.txt")
    page.locator(".mean tbody button").first.click()
    page.locator("#why .chain").wait_for()


def cited(page) -> None:
    sample(page, "arterial-rupture.txt")
    page.locator(".statement[id] .cite").first.click()
    page.locator("#why .passage").wait_for()
    page.locator(".statement[id]").first.scroll_into_view_if_needed()


def found(page) -> None:
    sample(page, "arterial-rupture.txt")
    page.locator(".note .finding", has_text="arterial rupture").click()
    page.locator("#why form").first.wait_for()


def flagged(page) -> None:
    sample(page, "chest-pain.zh.txt")


def answered(page) -> None:
    ask(page, "What causes scurvy?")
    page.locator(".statement .cite").first.click()
    page.locator("#why .passage").wait_for()


def reported(page) -> None:
    report(page, "cough-and-fever.dialogue.txt")
    page.locator(".statement .cite").first.click()
    page.locator("#why .passage").wait_for()


def related(page) -> None:
    page.goto("/graph/node/MONDO:0007947")


def searched(page) -> None:
    page.goto("/library?q=scurvy")


def keys(page) -> None:
    sample(page, "dilated-aortic-root.txt")
    page.keyboard.press("?")


if __name__ == "__main__":
    main()
