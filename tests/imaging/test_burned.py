"""Nothing planted in a header or in pixels comes through, and confirmation says who looked."""

import io
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from tests.support.pictures import PLANTED, saved, scan, written

from osler.cli import cli
from osler.errors import InputError
from osler.imaging.burned import confirm, find_text, mask
from osler.imaging.pictures import parse_picture, preview


def deidentified(path: Path, tmp_path: Path) -> bytes:
    target = tmp_path / "out.dcm"
    result = CliRunner().invoke(cli, ["deid", str(path), "--to", str(target)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return target.read_bytes()


def test_nothing_planted_in_any_text_element_is_left(home: Path, tmp_path: Path) -> None:
    made = scan(np.zeros((16, 16), np.int16))
    told = {
        "AE": "RetrieveAETitle",
        "LO": "PatientID StudyDescription SeriesDescription InstitutionName DeviceSerialNumber",
    }
    told |= {"LT": "AdditionalPatientHistory PatientComments", "ST": "InstitutionAddress AcquisitionComments"}
    told |= {"SH": "AccessionNumber StudyID StationName", "UT": "TextValue", "UC": "LongCodeValue"}
    told |= {"PN": "PatientName ReferringPhysicianName OperatorsName"}
    for names in told.values():
        for name in names.split():
            setattr(made, name, PLANTED)
    made.add_new(0x00080120, "UR", f"http://{PLANTED}.org")  # the reference of a code
    made.OtherPatientNames = [f"{PLANTED}^A", f"{PLANTED}^B"]
    made.add_new(0x00091010, "LO", PLANTED)
    made.add_new(0x00091011, "UN", PLANTED.encode() + b"\0")
    made.add_new(0x60003000, "OW", (PLANTED * 2).encode())
    made.add_new(0x60004000, "LT", PLANTED)
    inner, deeper = Dataset(), Dataset()
    deeper.PatientComments, deeper.SeriesDescription = PLANTED, PLANTED
    deeper.add_new(0x00111010, "ST", PLANTED)
    inner.ReferencedImageSequence = Sequence([deeper])
    inner.StudyDescription = PLANTED
    made.SourceImageSequence = Sequence([inner])
    made.EncapsulatedDocument = PLANTED.encode() + b"\0"
    path = tmp_path / "in.dcm"
    path.write_bytes(saved(made))
    assert path.read_bytes().count(PLANTED.encode()) >= 25
    data = deidentified(path, tmp_path)
    kept = pydicom.dcmread(io.BytesIO(data))
    assert PLANTED.encode() not in data.replace(b"\0", b""), [e for e in kept.iterall() if PLANTED in str(e.value)]
    assert kept.PatientIdentityRemoved == "YES" and kept.DeidentificationMethodCodeSequence[0].CodeValue == "113100"


@pytest.mark.parametrize("kind", ["grey", "inverted", "frames", "png", "rle"])
def test_text_in_pixels_is_painted_over(kind: str) -> None:
    luck = np.random.default_rng(1)
    pixels = luck.integers(100, 400, (320, 320)).astype(np.int16)
    mask_ = written("DOE, JANE 1961-04-02") | written("MRN 4471902", at=(180, 290))
    pixels[mask_] = 3000 if kind != "inverted" else 0
    if kind == "inverted":
        pixels[~mask_] += 1000
    if kind == "png":
        out = io.BytesIO()
        Image.fromarray((pixels / 3000 * 255).astype(np.uint8)).save(out, "PNG")
        data = out.getvalue()
    else:
        stack = np.stack([pixels, luck.permuted(pixels, axis=1), pixels]) if kind == "frames" else pixels
        made = scan(stack, PhotometricInterpretation="MONOCHROME1" if kind == "inverted" else "MONOCHROME2")
        if kind == "rle":
            made.compress(pydicom.uid.RLELossless)
        data = saved(made)
    found = mask(data, "x")
    assert {one.frame for one in found.regions} >= ({0, 2} if kind == "frames" else {0})
    after = parse_picture(found.data, "x")
    assert not [one for one in find_text(after) if one.frame != 1]
    before = parse_picture(data, "x")
    assert (preview(after)[mask_] != preview(before)[mask_]).mean() > 0.95
    away = np.s_[60:250, 20:300]
    assert (after.frames[0][away] == before.frames[0][away]).all()


def test_a_picture_without_text_is_left_alone(dicom: Path) -> None:
    data = (dicom / "MR_small.dcm").read_bytes()
    assert mask(data, "x").data == data


def test_it_is_unconfirmed_until_somebody_looked(home: Path, dicom: Path, tmp_path: Path) -> None:
    data = deidentified(dicom / "US1_J2KI.dcm", tmp_path)
    assert pydicom.dcmread(io.BytesIO(data)).BurnedInAnnotation == "YES"
    path = tmp_path / "out.dcm"
    said = CliRunner().invoke(cli, ["imaging", "confirm", str(path), "--by", "A", "--reason", "looked", "--json"])
    assert said.exit_code == 0 and json.loads(said.output)["trace"]
    after = pydicom.dcmread(path)
    assert after.BurnedInAnnotation == "NO"
    assert [one.CodeValue for one in after.DeidentificationMethodCodeSequence] == ["113100", "113101"]
    with pytest.raises(InputError, match="still names"):
        confirm((dicom / "CT_small.dcm").read_bytes(), "x")
