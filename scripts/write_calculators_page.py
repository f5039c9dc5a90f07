"""Write docs/calculators.md from the calculators' files; a test holds that the page is what this makes."""

from pathlib import Path

from osler.reasoning.calculators import calculators


def page() -> str:
    rows = [
        f"| `{one.id}` | {one.en} / {one.zh} | {', '.join(i.key for i in one.inputs)} | {one.cite} |"
        for one in calculators().values()
    ]
    head = "# Calculators\n\nFor professional review. `osler calc NAME` shows units and ranges of the inputs.\n"
    return "\n".join([head, "| id | name | inputs | first publication |", "|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    Path("docs/calculators.md").write_text(page(), encoding="utf-8")
