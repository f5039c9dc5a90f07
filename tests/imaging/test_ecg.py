"""Rates and rhythms of real and of simulated ECGs, and refusals."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from osler.cli import cli
from osler.errors import InputError
from osler.imaging.ecg import Ecg, measure, read_ecg

BRADYCARDIA, TACHYCARDIA, EARLY_BEATS = "426177001", "427084000", "284470004"  # SNOMED CT, as the headers say


def values(reading) -> dict[str, float]:
    return {one.name: one.value for one in reading.measurements}


def test_rates_and_rhythms_agree_with_what_the_headers_say(shared: Path) -> None:
    wrong, n = [], 0
    for path in sorted((shared / "signals" / "ecg").glob("*.hea")):
        said = re.search(r"Dx: (\S+)", path.read_text())[1].split(",")
        reading = measure(read_ecg(path))
        rate = values(reading)["heart rate"]
        n += 1
        if TACHYCARDIA in said and BRADYCARDIA not in said and EARLY_BEATS not in said and rate <= 100:
            wrong.append((path.name, "rate", rate))
        if BRADYCARDIA in said and EARLY_BEATS not in said and rate >= 60:
            wrong.append((path.name, "rate", rate))
        if (EARLY_BEATS in said) != (reading.rhythm == "irregular"):
            wrong.append((path.name, "rhythm", reading.variation))
    assert n == 30 and not wrong


@pytest.mark.parametrize("rate", [45, 60, 75, 100, 130, 160])
def test_simulated_rates(rate: int) -> None:
    import neurokit2

    signal = neurokit2.ecg_simulate(duration=12, sampling_rate=500, heart_rate=rate, noise=0.02, random_state=3)
    reading = measure(Ecg("s", ("II",), np.asarray(signal)[None], 500))
    assert values(reading)["heart rate"] == pytest.approx(rate, rel=0.03)
    assert reading.rhythm == "regular"
    named = {one.name: one.term for one in reading.measurements}["heart rate"]
    assert named == ("HP:0001662" if rate < 60 else "HP:0001649" if rate > 100 else None)


def test_a_dicom_waveform(dicom: Path) -> None:
    ecg = read_ecg(dicom / "waveform_ecg.dcm")
    assert ecg.leads[:4] == ("I", "II", "III", "aVR") and ecg.rate == 1000 and 0.3 < np.ptp(ecg.signals[1]) < 5
    assert values(measure(ecg))["heart rate"] == pytest.approx(61, abs=2)


def test_no_pr_interval_is_given_for_an_irregular_rhythm(shared: Path) -> None:
    reading = measure(read_ecg(shared / "signals" / "ecg" / "JS20001.hea"))
    assert "PR interval" not in values(reading) and "irregular" in reading.unmeasured["PR interval"]


@pytest.mark.parametrize(
    ("signal", "why"),
    [(np.zeros((1, 5000)), "flat"), (np.random.default_rng(0).normal(0, 1, (1, 300)), "seconds")],
)
def test_signals_that_can_not_be_measured(signal: np.ndarray, why: str) -> None:
    from osler.imaging.ecg import _checked

    with pytest.raises(InputError, match=why):
        measure(_checked(Ecg("s", ("II",), signal, 500)))


@pytest.mark.parametrize("text", ["", "not a header\n", "x 1 500 100\nmissing.mat 16 1000 16 0 0 0 0 I\n"])
def test_bad_records_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.hea"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.hea"):
        read_ecg(path)


def test_the_command(home: Path, shared: Path) -> None:
    path = str(shared / "signals" / "ecg" / "E07509.hea")
    told = json.loads(CliRunner().invoke(cli, ["imaging", "ecg", path, "--json"]).output)
    assert told["trace"] and told["review"] == "for professional review"
    assert told["measurements"][0]["term"] == "HP:0001662"
    page = CliRunner().invoke(cli, ["imaging", "ecg", path]).output
    assert "below" in page and "No morphology is read" in page
