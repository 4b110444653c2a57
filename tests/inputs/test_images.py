"""Find, spread and prepare images as the authors of a network do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilebench.errors import ImageError, UserError
from mobilebench.inputs import images
from mobilebench.inputs.source import AGREEMENT_INPUTS, IMAGES, InputSource
from mobilebench.values.modelspec import Interpolation, ModelSpec, Preprocessing
from mobilebench.values.recipe import NOISE
from mobilebench.values.tensor import parse_tensor

PLAIN = Preprocessing(
    mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), crop_pct=1.0, interpolation=Interpolation.BICUBIC
)
SPEC = ModelSpec(name="m", inputs=(parse_tensor("1x3x8x8"),), preprocessing=PLAIN)


def _image(path: Path, height: int, width: int, seed: int = 0) -> Path:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
    return path


def test_an_image_of_the_right_size_is_only_scaled(tmp_path: Path) -> None:
    path = _image(tmp_path / "a.png", 8, 8)
    image = images.prepare(path, SPEC)
    pixels = np.asarray(Image.open(path)).transpose(2, 0, 1)[None]
    assert image.shape == (1, 3, 8, 8) and image.dtype == np.float32
    np.testing.assert_array_equal(image, pixels.astype(np.float32) / np.float32(255))


def test_channels_are_normalised_by_their_own_figures(tmp_path: Path) -> None:
    path = _image(tmp_path / "a.png", 8, 8)
    preprocessing = replace(PLAIN, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.125))
    image = images.prepare(path, replace(SPEC, preprocessing=preprocessing))
    plain = images.prepare(path, SPEC)
    for channel, (mean, std) in enumerate(((0.1, 0.5), (0.2, 0.25), (0.3, 0.125))):
        expected = (plain[0, channel] - np.float32(mean)) / np.float32(std)
        np.testing.assert_array_equal(image[0, channel], expected)


@pytest.mark.parametrize(("height", "width"), [(20, 40), (40, 20), (33, 33), (9, 100)])
def test_the_shorter_side_is_resized_and_the_middle_is_cut_out(
    tmp_path: Path, height: int, width: int
) -> None:
    """The steps are torchvision's Resize(10) and CenterCrop(8), done by hand with Pillow."""
    path = _image(tmp_path / "a.png", height, width)
    image = images.prepare(path, replace(SPEC, preprocessing=replace(PLAIN, crop_pct=0.8)))
    size = (int(10 * width / height), 10) if height <= width else (10, int(10 * height / width))
    resized = Image.open(path).resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - 8) / 2), round((size[1] - 8) / 2)
    expected = np.asarray(resized)[top : top + 8, left : left + 8].transpose(2, 0, 1)
    np.testing.assert_array_equal(image[0], expected.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("interpolation", [None, *Interpolation])
def test_the_interpolation_that_is_stated_is_the_one_that_is_used(
    tmp_path: Path, interpolation: Interpolation | None
) -> None:
    path = _image(tmp_path / "a.png", 30, 30)
    stated = replace(PLAIN, interpolation=interpolation)
    image = images.prepare(path, replace(SPEC, preprocessing=stated))
    # Without one, torchvision's Resize: bilinear, on a PIL image always with antialiasing.
    resampling = Image.Resampling[(interpolation or "bilinear").upper()]
    expected = np.asarray(Image.open(path).resize((8, 8), resampling)).transpose(2, 0, 1)
    np.testing.assert_array_equal(image[0], expected.astype(np.float32) / np.float32(255))


def test_grey_and_transparent_images_become_three_channels(tmp_path: Path) -> None:
    grey, clear = tmp_path / "grey.png", tmp_path / "clear.png"
    Image.new("L", (8, 8), 51).save(grey)
    Image.new("RGBA", (8, 8), (51, 102, 153, 0)).save(clear)
    np.testing.assert_allclose(images.prepare(grey, SPEC), 0.2, rtol=1e-6)
    np.testing.assert_allclose(images.prepare(clear, SPEC)[0, :, 0, 0], (0.2, 0.4, 0.6), rtol=1e-6)


def test_images_are_found_in_all_folders_below_and_in_one_order(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/1.jpg", "a/.hidden.png", "c/d/3.PNG"):
        _image(tmp_path / name, 8, 8)
    (tmp_path / "notes.txt").write_text("no image")
    names = [str(path.relative_to(tmp_path)) for path in images.find(tmp_path)]
    assert names == ["a/1.jpg", "b/2.png", "c/d/3.PNG"]


def test_a_sorted_folder_gives_every_class_its_share() -> None:
    paths = [Path(f"{label}/{index}.png") for label in "abcd" for index in range(100)]
    selection = images.spread(paths, 8)
    assert [path.parts[0] for path in selection] == ["a", "a", "b", "b", "c", "c", "d", "d"]
    assert images.spread(paths[:5], 8) == paths[:5]


def test_a_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"a\.jpg cannot be read"):
        images.prepare(path, SPEC)


def test_an_image_that_would_grow_beyond_all_memory_is_named(tmp_path: Path) -> None:
    path = _image(tmp_path / "line.png", 1, 60_000)
    spec = replace(SPEC, preprocessing=replace(PLAIN, crop_pct=8 / 800))
    with pytest.raises(ImageError, match="line.png has 60000x1 pixels, and would be 800x48000000 "):
        images.prepare(path, spec)
    assert images.prepare(path, SPEC).shape == (1, 3, 8, 8)


def test_a_file_is_no_folder_of_images(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file is a file; give a folder"):
        images.find(tmp_path / "file")
    with pytest.raises(UserError, match="nowhere does not exist"):
        images.find(tmp_path / "nowhere")


def test_folders_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        InputSource(tmp_path / "nowhere").calibration()
    with pytest.raises(UserError, match="holds no image"):
        InputSource(tmp_path).calibration()


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (replace(SPEC, preprocessing=None), "--mean and --std"),
        (replace(SPEC, inputs=(parse_tensor("1x4x8x8"),)), "one input of 1x3xHxW or 1xHxWx3 only"),
        (replace(SPEC, inputs=(parse_tensor("1x77"),)), "one input of 1x3xHxW or 1xHxWx3 only"),
        (replace(SPEC, inputs=SPEC.inputs * 2), "one input of 1x3xHxW or 1xHxWx3 only"),
    ],
)
def test_a_network_that_takes_no_images_is_refused(
    tmp_path: Path, spec: ModelSpec, sentence: str
) -> None:
    _image(tmp_path / "a.png", 8, 8)
    with pytest.raises(UserError, match=sentence):
        InputSource(tmp_path).for_calibration(spec)


def test_samples_of_a_folder_are_named_by_their_content(tmp_path: Path) -> None:
    for index in range(3):
        _image(tmp_path / f"{index}.png", 8, 8, seed=index)
    samples = InputSource(tmp_path)
    before = samples.calibration()
    assert before.inputs == 3 and len(before.source) == 64
    assert samples.calibration() == before
    _image(tmp_path / "1.png", 8, 8, seed=9)
    assert samples.calibration().source != before.source
    assert InputSource().calibration().source == InputSource().agreement_source() == NOISE


def test_agreement_is_judged_on_other_images_where_there_are_enough(tmp_path: Path) -> None:
    image = _image(tmp_path / "first.png", 8, 8).read_bytes()
    for index in range(IMAGES + AGREEMENT_INPUTS):
        # Every file differs, and is still an image.
        (tmp_path / f"{index:04}.png").write_bytes(image + index.to_bytes(4, "big"))
    samples = InputSource(tmp_path)
    calibrating, judging = samples._calibration_paths(), samples._agreement_paths()
    assert (len(calibrating), len(judging)) == (IMAGES, AGREEMENT_INPUTS)
    assert not set(calibrating) & set(judging)
    parts = list(samples.for_agreement(SPEC))
    assert sum(len(part) for part in parts) == AGREEMENT_INPUTS


@pytest.mark.parametrize("unseen", [0, 1, 20])
def test_images_of_the_calibration_are_judged_on_only_where_there_are_no_others(
    tmp_path: Path, unseen: int
) -> None:
    image = _image(tmp_path / "0000.png", 8, 8).read_bytes()
    for index in range(1, IMAGES + unseen):
        (tmp_path / f"{index:04}.png").write_bytes(image + index.to_bytes(4, "big"))
    source = InputSource(tmp_path)
    assert source.only_calibration == (unseen == 0)
    judging = set(source._agreement_paths())
    assert len(judging) == (unseen or IMAGES)
    assert bool(judging & set(source._calibration_paths())) == (unseen == 0)
    assert len(source.for_parity(SPEC, 16)) == (min(unseen, 16) or 16)
