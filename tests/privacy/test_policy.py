"""Policies by name and file: actions by kind, own patterns and words; what is wrong in a file is named."""

from pathlib import Path

import pytest

from osler.errors import InputError
from osler.privacy.deid import Deidentifier
from osler.privacy.policy import load_policy, names

NOTE = (
    "Patient: Maria Lopez, DOB 12/04/1931, MRN: 40618827. Seen by Dr. Amara Okafor. Zip: 86305, phone (415) 555-0132."
)


def _masked(policy: str, text: str = NOTE) -> str:
    return Deidentifier(policy=load_policy(policy), key=b"k", subject="p").mask(text).text


@pytest.mark.parametrize("name", names())
def test_every_shipped_policy_removes_names(name: str) -> None:
    masked = _masked(name)
    assert not any(word in masked for word in ("Maria", "Lopez", "Okafor", "40618827", "555-0132"))


def test_dates_are_kept_shifted_or_masked() -> None:
    assert "12/04/1931" in _masked("limited-data-set") and "12/04/1931" in _masked("research-dates-kept")
    assert "12/04/1931" not in _masked("safe-harbor") and "[DATE_1]" in _masked("safe-harbor")
    assert "12/04/1931" not in _masked("research-dates-shifted") and "/19" in _masked("research-dates-shifted")


def test_own_patterns_and_words(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(
        'allow = ["Amara Okafor"]\ndeny = ["Project Bluebird"]\n'
        '[types]\nDATE = "keep"\n[[rule]]\nkind = "ID"\nsure = 0.99\nfind = \'QX\\d{3}\'\n'
    )
    masked = _masked(str(path), NOTE + " Project Bluebird, token QX123.")
    assert "Amara Okafor" in masked and "12/04/1931" in masked
    assert "Bluebird" not in masked and "QX123" not in masked


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('default = "burn"', "default"),
        ('[types]\nNOSE = "mask"', "NOSE"),
        ('[[rule]]\nkind = "ID"\nfind = "("', "rule 1"),
        ('[[rule]]\nkind = "NOSE"\nfind = "a"', "rule 1"),
        ("colour = 1", "colour"),
        ("= 1", "TOML"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: str, place: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        load_policy(str(path))
    assert "bad.toml" in str(caught.value) and place in str(caught.value)


def test_unknown_policy() -> None:
    with pytest.raises(InputError, match="safe-harbor"):
        load_policy("no-such-policy")
