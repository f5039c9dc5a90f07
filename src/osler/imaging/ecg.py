"""An ECG's rate, rhythm and intervals, from WFDB records and DICOM waveforms.

Beats and waves are found by neurokit2 (Makowski et al. 2021; waves by their prominence, Emrich et al. 2024). QTc is
Fridericia's. It measures, names what is outside of the usual adult range, and reads no morphology: no infarction, no
block. A value it can't measure is left out, with why.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.errors import InputError, MissingComponent
from osler.imaging.pictures import dataset, is_dicom

SHORTEST = 5.0  # seconds of signal
BEATS = 4  # at least, for any statement
FLAT = 0.02  # mV between the 1st and 99th percentile, under which a lead carries nothing
IRREGULAR = 0.10  # root mean square of successive differences of RR, as a share of the mean RR
PREFERRED = ("II", "I", "V5", "V6", "V2", "V1", "III", "AVF")

# What is measured, in which unit, the usual adult range, and the HPO terms below and above it.
# Ranges: AHA/ACCF/HRS recommendations (Surawicz et al. 2009; Rautaharju et al. 2009).
RANGES: Mapping[str, tuple[str, float, float, str | None, str | None]] = {
    "heart rate": ("/min", 60, 100, "HP:0001662", "HP:0001649"),
    "PR interval": ("ms", 120, 200, "HP:0005165", "HP:0012248"),
    "QRS duration": ("ms", 60, 120, None, "HP:0006677"),
    "QTc interval (Fridericia)": ("ms", 350, 460, "HP:0012232", "HP:0001657"),
}


class Ecg(NamedTuple):
    """`signals`: (leads, samples) in mV. `rate`: samples a second."""

    name: str
    leads: tuple[str, ...]
    signals: npt.NDArray[np.float64]
    rate: float

    @property
    def seconds(self) -> float:
        return float(self.signals.shape[1] / self.rate)


class Measurement(NamedTuple):
    """`range`: the usual one of adults. `outside`: below, above, or None. `term`: the HPO term of being so."""

    name: str
    value: float
    unit: str
    range: tuple[float, float] | None
    outside: str | None
    term: str | None


class Reading(NamedTuple):
    """`rhythm`: regular or irregular, by how much RR intervals change from one to the next (`variation`, a share).

    `beats`: seconds of the R peaks. `unmeasured`: what could not be measured, with why.
    """

    name: str
    lead: str
    seconds: float
    measurements: list[Measurement]
    rhythm: str
    variation: float
    beats: list[float]
    unmeasured: dict[str, str]


def read_ecg(path: str | Path) -> Ecg:
    """A WFDB record (its .hea file) or a DICOM waveform. Raises InputError naming the file and what is wrong."""
    path = Path(path)
    if path.suffix == ".hea":
        return _of_wfdb(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", where=str(path)) from None
    if not is_dicom(data):
        raise InputError("no ECG: it is neither a WFDB header (.hea) nor a DICOM file", where=str(path))
    return parse_ecg(data, str(path))


def parse_ecg(data: bytes, name: str) -> Ecg:
    """The first rhythm group of a DICOM waveform."""
    found = dataset(data, name)
    groups = found.get("WaveformSequence") or []
    if not groups:
        raise InputError("it holds no waveform", where=name)
    try:
        group = groups[0]
        values = np.asarray(found.waveform_array(0), float).T  # in the unit of each channel
        leads, scales = [], []
        for channel in group.ChannelDefinitionSequence:
            leads.append(_lead(str(channel.ChannelSourceSequence[0].CodeMeaning)))
            units = channel.get("ChannelSensitivityUnitsSequence")
            unit = str(units[0].CodeValue) if units else "uV"
            if unit not in ("uV", "mV", "V"):
                raise InputError(f"channel {leads[-1]} is measured in {unit}, not in volts", where=name)
            scales.append({"uV": 1e-3, "mV": 1.0, "V": 1e3}[unit])
        return _checked(Ecg(name, tuple(leads), values * np.array(scales)[:, None], float(group.SamplingFrequency)))
    except (AttributeError, IndexError, ValueError, NotImplementedError, KeyError) as error:
        raise InputError(f"its waveform can't be read: {error}", where=name) from None


def measure(ecg: Ecg) -> Reading:
    """Raises InputError for a signal in which no beats can be found, MissingComponent without neurokit2."""
    tools = _neurokit(ecg.name)
    lead, signal = _clearest(ecg)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            clean = tools.ecg_clean(signal, sampling_rate=int(ecg.rate))
            _, found = tools.ecg_peaks(clean, sampling_rate=int(ecg.rate), correct_artifacts=False)
            peaks = np.asarray(found["ECG_R_Peaks"], int)
        except Exception as error:  # noise makes the detectors fail in many ways
            raise InputError(f"no beats can be found in lead {lead}: {error}", where=ecg.name) from None
        if len(peaks) < BEATS:
            raise InputError(f"{len(peaks)} beats in lead {lead}; {BEATS} are needed", where=ecg.name)
        try:
            _, waves = tools.ecg_delineate(clean, peaks, sampling_rate=int(ecg.rate), method="prominence")
        except Exception:
            waves = {}
    intervals = np.diff(peaks) / ecg.rate
    cycle = float(np.median(intervals))
    variation = float(np.sqrt(np.mean(np.diff(intervals) ** 2)) / intervals.mean()) if len(intervals) > 1 else 0.0
    regular = variation < IRREGULAR
    values: dict[str, float] = {"heart rate": 60 / float(intervals.mean())}
    missing: dict[str, str] = {}
    spans = {
        "PR interval": ("ECG_P_Onsets", "ECG_R_Onsets", (0.08, 0.40)),
        "QRS duration": ("ECG_R_Onsets", "ECG_R_Offsets", (0.04, 0.25)),
        "QT interval": ("ECG_R_Onsets", "ECG_T_Offsets", (0.20, 0.70)),
    }
    for name, (start, end, plausible) in spans.items():
        if name == "PR interval" and not regular:
            missing[name] = "not measured in an irregular rhythm"
            continue
        seconds = _span(waves.get(start), waves.get(end), ecg.rate, plausible)
        if seconds is None:
            missing[name] = "its waves were found in fewer than half of the beats"
        else:
            values[name] = seconds * 1000
    if "QT interval" in values:
        values["QTc interval (Fridericia)"] = values["QT interval"] / np.cbrt(cycle)
    return Reading(
        name=ecg.name,
        lead=lead,
        seconds=round(ecg.seconds, 2),
        measurements=[_measurement(name, value) for name, value in values.items()],
        rhythm="regular" if regular else "irregular",
        variation=round(variation, 3),
        beats=[round(float(peak / ecg.rate), 3) for peak in peaks],
        unmeasured=missing,
    )


def _measurement(name: str, value: float) -> Measurement:
    if name not in RANGES:
        return Measurement(name, round(value), "ms", None, None, None)
    unit, low, high, below, above = RANGES[name]
    outside = "below" if round(value) < low else "above" if round(value) > high else None
    term = {"below": below, "above": above}.get(outside or "")
    return Measurement(name, round(value), unit, (low, high), outside, term)


def _span(starts: Any, ends: Any, rate: float, plausible: tuple[float, float]) -> float | None:
    """Median seconds from start to end over the beats that show both, if half of them do."""
    if starts is None or ends is None:
        return None
    length = min(len(starts), len(ends))
    gaps = (np.array(ends[:length], float) - np.array(starts[:length], float)) / rate
    good = gaps[(gaps >= plausible[0]) & (gaps <= plausible[1])]
    return float(np.median(good)) if len(good) >= max(3, length / 2) else None


def _clearest(ecg: Ecg) -> tuple[str, npt.NDArray[np.float64]]:
    """Lead II, or the first of the preferred ones that carries a signal."""
    order = sorted(
        range(len(ecg.leads)),
        key=lambda k: PREFERRED.index(ecg.leads[k].upper()) if ecg.leads[k].upper() in PREFERRED else len(PREFERRED),
    )
    for index in order:
        signal = ecg.signals[index]
        low, high = np.percentile(signal, (1, 99))
        if high - low >= FLAT:
            return ecg.leads[index], signal
    raise InputError("every lead is flat", where=ecg.name)


def _checked(ecg: Ecg) -> Ecg:
    if not 50 <= ecg.rate <= 10_000:
        raise InputError(f"{ecg.rate:g} samples a second are no ECG", where=ecg.name)
    if ecg.seconds < SHORTEST:
        raise InputError(f"{ecg.seconds:.1f} seconds of signal; {SHORTEST:.0f} are needed", where=ecg.name)
    share = float(np.isnan(ecg.signals).mean())
    if share > 0.1:
        raise InputError(f"{share:.0%} of its samples are missing", where=ecg.name)
    return ecg._replace(signals=np.nan_to_num(ecg.signals))


def _of_wfdb(path: Path) -> Ecg:
    try:
        import wfdb
    except ImportError:
        hint = "pip install 'osler[imaging]'"
        raise MissingComponent("wfdb is not installed", where=str(path), hint=hint) from None
    try:
        record = wfdb.rdrecord(str(path.with_suffix("").absolute()))
        units = [str(unit) for unit in record.units]
        signals = np.asarray(record.p_signal, float).T
    except Exception as error:  # the reader raises whatever a damaged header leads it to
        raise InputError(f"not a WFDB record that can be read: {error}", where=str(path)) from None
    factors = {"mv": 1.0, "uv": 1e-3, "v": 1e3}
    volts = [k for k, unit in enumerate(units) if unit.lower() in factors]
    if not volts:
        raise InputError("none of its signals is measured in volts", where=str(path))
    scales = np.array([factors[units[k].lower()] for k in volts])
    leads = tuple(_lead(str(record.sig_name[k])) for k in volts)
    return _checked(Ecg(path.name, leads, signals[volts] * scales[:, None], float(record.fs)))


def _lead(name: str) -> str:
    return name.replace("Lead", "").replace("lead", "").split("(")[0].strip() or name


def _neurokit(name: str) -> Any:
    try:
        import neurokit2
    except ImportError:
        hint = "pip install 'osler[imaging]'"
        raise MissingComponent("neurokit2 is not installed", where=name, hint=hint) from None
    return neurokit2
