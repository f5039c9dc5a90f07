"""Pixels in their units, windows, sides, series, and clear words for what holds no picture."""

import io
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.support.pictures import saved, scan

from osler.errors import InputError, OslerError
from osler.imaging.pictures import parse_picture, png, preview, read_picture, read_series

READ = "CT_small MR_small MR_small_RLE MR_small_bigendian MR_small_implicit JPEG2000 RG1_J2KI RG3_J2KI".split()
NOT_PICTURES = {
    "rtstruct.dcm": "contours",
    "rtplan.dcm": "plan",
    "test-SR.dcm": "structured report",
    "waveform_ecg.dcm": "waveform",
    "nested_priv_SQ.dcm": "can't be read",
}


@pytest.mark.parametrize(
    "name", [*READ, "ExplVR_BigEnd", "US1_J2KI", "color-pl", "SC_rgb_rle_2frame", "emri_small", "emri_small_RLE"]
)
def test_files_of_many_makers_are_read(dicom: Path, name: str) -> None:
    picture = read_picture(dicom / f"{name}.dcm")
    shown = preview(picture)
    assert shown.dtype == np.uint8 and shown.shape[:2] == picture.frames.shape[1:3] and shown.std() > 5
    assert picture.summary()["frames"] == len(picture.frames)


def test_the_same_picture_in_four_encodings(dicom: Path) -> None:
    first, *others = (
        read_picture(dicom / f"MR_small{end}.dcm").frames for end in ("", "_RLE", "_bigendian", "_implicit")
    )
    assert all((first == other).all() for other in others)


def test_units_window_and_sides_of_a_ct(dicom: Path) -> None:
    picture = read_picture(dicom / "CT_small.dcm")
    assert picture.unit == "HU" and picture.frames.min() == -896 and picture.spacing == (0.661468, 0.661468)
    assert picture.sides == ("R", "L", "A", "P")


def test_the_window_is_the_standards() -> None:
    pixels = np.array([[-200, -160, 40, 239, 240, 300]], np.int16)
    picture = parse_picture(saved(scan(pixels, WindowCenter=40, WindowWidth=400)), "x")
    shown = preview(picture)[0]
    assert shown[0] == 0 and shown[1] == 0 and 126 <= shown[2] <= 129 and shown[3] == shown[4] == shown[5] == 255
    assert (preview(picture, 0, (40, 100))[0] == [0, 0, shown[2] if shown[2] == 129 else 129, 255, 255, 255]).sum() >= 5
    inverted = parse_picture(
        saved(scan(pixels, WindowCenter=40, WindowWidth=400, PhotometricInterpretation="MONOCHROME1")), "x"
    )
    assert (preview(inverted)[0] == 255 - shown).all()


def test_rescaling_is_applied() -> None:
    picture = parse_picture(saved(scan(np.full((4, 4), 1000, np.uint16), RescaleSlope=2, RescaleIntercept=-1024)), "x")
    assert (picture.frames == 976).all()


def test_slices_are_one_series_along_their_axis(tmp_path: Path) -> None:
    series = None
    for number, place in enumerate([30.0, 10.0, 20.0]):
        made = scan(np.full((4, 4), int(place), np.int16), ImagePositionPatient=[0, 0, place], InstanceNumber=number)
        made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        series = series or made.SeriesInstanceUID
        made.SeriesInstanceUID = series
        (tmp_path / f"{number}.dcm").write_bytes(saved(made))
    (tmp_path / "note.txt").write_text("no picture")
    found = read_series(tmp_path)
    [picture] = found.pictures
    assert picture.frames[:, 0, 0].tolist() == [10, 20, 30]
    assert [name for name, _ in found.skipped] == ["note.txt"]


@pytest.mark.parametrize(("name", "why"), NOT_PICTURES.items())
def test_what_is_no_picture_is_named(dicom: Path, name: str, why: str) -> None:
    with pytest.raises(OslerError, match=why) as caught:
        read_picture(dicom / name)
    assert name in str(caught.value)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_files_cut_off_are_named(dicom: Path, tmp_path: Path, share: float) -> None:
    for name in ("CT_small", "US1_J2KI", "SC_rgb_rle_2frame", "emri_small"):
        data = (dicom / f"{name}.dcm").read_bytes()
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(data[: int(len(data) * share)])
        with suppress(OslerError):  # packed pixels may be whole before the end
            read_picture(path)


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"\x89PNG\r\n\x1a\n123", b"\0" * 128 + b"DICM", b"\xff\xd8\xff\xe0abc"]
)
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^x:"):
        parse_picture(data, "x")


def test_huge_pictures_are_not_opened() -> None:
    with pytest.raises(InputError, match="GB of pixels"):
        parse_picture(saved(scan(np.zeros((4, 4), np.int16), Rows=60_000, Columns=60_000)), "x")
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    with pytest.raises(InputError, match="more pixels"):
        parse_picture(bomb.getvalue(), "x")


def test_pictures_of_cameras_are_turned_upright() -> None:
    image = Image.fromarray(
        np.dstack([np.arange(200, dtype=np.uint8).reshape(10, 20)] * 2 + [np.zeros((10, 20), np.uint8)])
    )
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif, quality=95)
    picture = parse_picture(out.getvalue(), "x")
    assert picture.colour and picture.frames.shape == (1, 20, 10, 3)


def test_a_folder_without_pictures(tmp_path: Path, dicom: Path) -> None:
    with pytest.raises(InputError, match="without files"):
        read_series(tmp_path)
    shutil.copy(dicom / "rtplan.dcm", tmp_path)
    assert read_series(tmp_path).pictures == []


def test_a_preview_is_a_png(dicom: Path) -> None:
    picture = read_picture(dicom / "emri_small.dcm")
    assert Image.open(io.BytesIO(png(preview(picture, 9)))).size == (64, 64)
    with pytest.raises(InputError, match="no frame 10"):
        preview(picture, 10)
