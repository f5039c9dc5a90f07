"""Write docs/calculators.md from the calculators' files; a test holds that the page is what this makes."""

from pathlib import Path

from osler.reasoning.calculators import calculators

HEAD = """# Calculators

For professional review: a calculator computes what it is handed, and does not read notes. `osler calc` lists them,
`osler calc NAME` shows what one asks for, `osler calc NAME key=value key=value` computes it, with every step, what was
not given, and the first publication. NAME may be an abbreviation or Chinese; `--json` prints it for a program.

- A value may carry its unit: `creatinine="88 μmol/L"`, `albumin=35克/升`, `height="5 ft 7 in"`. Without one it is
  in the first unit listed. Another unit is refused, and the accepted ones are named.
- Full-width digits and Chinese numerals are read; "一百七", which may mean 107 or 170, is refused.
- A value no patient has is refused; an unusual one is taken. Age is in years, and scores take it as given.
- Dates are YYYY-MM-DD, YYYY/M/D or 2024年1月1日; 01/02/2024 is refused, since it means two days.
- Something that a score counts and that is not given is absent, or the default shown, and is named as not given.
- Results are rounded, halves up, to the places shown; the interpretation is that of the rounded result. Values of
  another unit are converted first, so that right at a cut-off a rounded table in that unit may say otherwise.
- Race is in none of them, but for the coefficient of the MDRD equation, which has to be asked for.

| id | name | inputs | first publication |
|---|---|---|---|"""
DIFFERS = """
## Where sources differ

What is done here where the literature does not agree with itself, or with the answers of MedCalc-Bench.
"""


def page() -> str:
    every = calculators().values()
    rows = [f"| `{i.id}` | {i.en} / {i.zh} | {', '.join(x.key for x in i.inputs)} | {i.cite} |" for i in every]
    return "\n".join([HEAD, *rows, DIFFERS, *(f"- `{i.id}`: {i.differs}" for i in every if i.differs)]) + "\n"


if __name__ == "__main__":
    Path("docs/calculators.md").write_text(page(), encoding="utf-8")
