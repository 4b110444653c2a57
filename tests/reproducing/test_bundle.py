"""Pack a table, take it out again, and refuse every file that is not as it was packed."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.errors import SchemaError
from mobilebench.reproducing import bundle
from mobilebench.reproducing.bundle import Bundle, TableView
from mobilebench.store import signing
from mobilebench.store.documents import Document
from mobilebench.values.artifact import Manifest
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from tests.records import failed_export, judged, measured


def _manifest(record: Record) -> Manifest:
    assert record.artifact is not None
    return Manifest(
        created=record.created,
        mobilebench_version="0.1",
        model=record.model,
        recipe=record.recipe,
        model_file="model.onnx",
        facts=record.artifact,
    )


def _bundle() -> Bundle:
    record = measured()
    return Bundle(
        rows=(Document.of(record), Document.of(failed_export(target="opset18"))),
        runs=(Document.of(measured(record_id="c" * 32)),),
        accuracies=(judged(record, 90),),
        reported=(Reported(report_id="r", source="s", file="f", latency=Latency(p50_ns=1.0)),),
        manifests=(_manifest(record),),
        view=TableView(protocol="smoke-1", columns=("model", "p50"), names={"mobilevig_ti": "Ti"}),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "table.mbbundle"
    place.write_bytes(_bundle().as_bytes())
    return place


def _refusal(path: Path) -> str:
    with pytest.raises(SchemaError) as caught:
        bundle.read(path)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".") and str(path) in sentence
    return sentence


def test_a_bundle_gives_back_what_was_packed(path: Path) -> None:
    assert bundle.is_bundle(path)
    taken, packed = bundle.read(path), _bundle()
    assert [each.record for each in taken.documents] == [each.record for each in packed.documents]
    assert replace(taken, rows=(), runs=()) == replace(packed, rows=(), runs=())


def test_how_a_store_wrote_a_record_does_not_count() -> None:
    [row, *_] = _bundle().rows
    spaced = Document(record=row.record, text=json.dumps(json.loads(row.text), indent=2))
    assert Bundle(rows=(spaced,)).as_bytes() == Bundle(rows=(row,)).as_bytes()


def test_the_same_content_gives_the_same_bytes_on_every_machine(path: Path) -> None:
    content = path.read_bytes()
    assert bundle.read(path).as_bytes() == content == _bundle().as_bytes()
    fixed = Bundle(rows=(Document(record=measured(), text='{"record_id":"a"}'),)).as_bytes()
    assert hashlib.sha256(fixed).hexdigest() == (
        "7ad181b0651761ff3ba009b30afa6952e6832cff9502b7940b83c7ab4e204e8c"
    )


def test_records_keep_their_text_and_their_signature(tmp_path: Path) -> None:
    signed = signing.sign(measured())
    document = Document.of(signed)
    path = tmp_path / "table.mbbundle"
    path.write_bytes(Bundle(rows=(document,)).as_bytes())
    [row] = bundle.read(path).rows
    assert list(json.loads(row.text)) == list(json.loads(document.text))
    assert (row.record, row.record.signature) == (signed, signed.signature)


def test_a_view_is_the_options_that_show_it() -> None:
    view = TableView(model="net", data="val", columns=("model", "p50"), names={"net": "Net"})
    assert view.words == (
        "--model", "net", "--data", "val", "--columns", "model,p50", "--name", "net=Net",
    )  # fmt: skip


def _rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the parts of a bundle, and write it with an index that fits them."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    path.write_bytes(out.getvalue())


def _with_index(**changes: object) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        index = {**json.loads(parts["index.json"]), **changes}
        parts["index.json"] = json.dumps(index, separators=(",", ":")).encode()

    return change


def test_every_byte_counts(path: Path) -> None:
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 0x41
        path.write_bytes(changed)
        _refusal(path)


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in (2, 30, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        assert "is damaged or was cut off" in _refusal(path)


def test_bytes_before_behind_and_between_are_refused(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content + b"x")
    _refusal(path)
    path.write_bytes(b"PK" + content)
    _refusal(path)


def test_a_changed_record_is_refused_although_the_zip_is_whole(path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["rows/000001.json"] = parts["rows/000001.json"].replace(b"11000000", b"10000000")

    _rewritten(path, change)
    assert "the sha256 of its part rows/000001.json is not the one in its index" in _refusal(path)


def test_a_changed_record_with_a_new_index_still_breaks_its_signature(tmp_path: Path) -> None:
    text = Document.of(signing.sign(measured())).text.replace("11000000", "10000000")
    forged = Document(record=measured(), text=text)
    path = tmp_path / "table.mbbundle"
    path.write_bytes(Bundle(rows=(forged,)).as_bytes())
    with pytest.raises(SchemaError, match="does not match its signature"):
        bundle.read(path)


@pytest.mark.parametrize(
    "name",
    ["../../owned.json", "/etc/owned", "rows/../../owned.json", "rows\\..\\owned", "C:owned",
     "rows/000009.json/../x", "rows/x.py"],
)  # fmt: skip
def test_paths_that_lead_out_are_refused(path: Path, name: str) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[name] = b"{}"

    _rewritten(path, change)
    assert "which no bundle of this version has" in _refusal(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_part_that_the_index_does_not_state_is_refused(path: Path) -> None:
    _rewritten(path, lambda parts: parts.update({"rows/000009.json": b"{}"}))
    assert "does not hold what its index states (rows/000009.json)" in _refusal(path)


def test_a_part_that_is_missing_is_refused(path: Path) -> None:
    _rewritten(path, lambda parts: parts.pop("rows/000002.json") and None)
    assert "does not hold what its index states (rows/000002.json)" in _refusal(path)


def test_another_order_is_refused(path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        first = parts.pop("rows/000001.json")
        parts["rows/000001.json"] = first

    _rewritten(path, change)
    assert "does not hold what its index states (the order of its parts)" in _refusal(path)


def test_what_grows_when_it_is_unpacked_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.mbbundle"
    path.write_bytes(_bomb(zipfile.ZIP_STORED))
    assert path.stat().st_size < 100_000 and "has a compressed part" in _refusal(path)
    path.write_bytes(_bomb(zipfile.ZIP_DEFLATED))
    assert "does not begin with a plain index.json" in _refusal(path)


def _bomb(of_index: int) -> bytes:
    out = io.BytesIO()
    index = json.dumps({"kind": bundle.KIND, "version": 1, "parts": []})
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.json", index, of_index)
        archive.writestr("rows/000001.json", bytes(50_000_000), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def test_one_part_under_many_names_is_refused(tmp_path: Path) -> None:
    """Entries of a zip may overlap: a thousand names of the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("index.json", json.dumps({"kind": bundle.KIND, "version": 1, "parts": []}))
        archive.writestr("rows/000001.json", bytes(1_000_000))
        first = archive.filelist[-1]
        for number in range(2, 1000):
            twin = zipfile.ZipInfo(f"rows/{number:06d}.json", first.date_time)
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.file_size = twin.compress_size = first.file_size
            archive.filelist.append(twin)
    path = tmp_path / "table.mbbundle"
    path.write_bytes(out.getvalue())
    assert "states parts larger than itself" in _refusal(path)


def test_two_parts_of_one_name_are_refused(path: Path) -> None:
    out = io.BytesIO(path.read_bytes())
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(out, "a") as archive:
        archive.writestr("rows/000001.json", b"{}")
    path.write_bytes(out.getvalue())
    assert "two parts of one name" in _refusal(path)


def test_a_bundle_of_a_newer_version_is_refused_whatever_is_in_it(path: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["samples/1.zst"] = b"x"
        _with_index(version=2, new=[1])(parts)

    _rewritten(path, change)
    assert _refusal(path) == (
        f"The bundle {path} has version 2, newer than the 1 that this mobilebench reads; update "
        f"mobilebench."
    )


@pytest.mark.parametrize("version", [None, 0, -1, "1", True, 1.5])
def test_a_version_that_is_no_number_is_refused(path: Path, version: object) -> None:
    _rewritten(path, _with_index(version=version))
    assert "states no version" in _refusal(path)


@pytest.mark.parametrize(
    "index",
    [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b'{"kind": "mobilebench bundle"}'],
    ids=range(7),
)
def test_an_index_that_is_none_is_refused(path: Path, index: bytes) -> None:
    _rewritten(path, lambda parts: parts.update({"index.json": index}))
    _refusal(path)


def test_other_files_are_no_bundles(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "is a zip, and no bundle of mobilebench" in _refusal(path)
    path.write_bytes(b"[]")
    assert not bundle.is_bundle(path) and "is not a bundle" in _refusal(path)
    path.write_bytes(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0))
    assert "no bundle of mobilebench" in _refusal(path), "an empty zip"
    missing = tmp_path / "missing"
    assert not bundle.is_bundle(missing) and "cannot be read" in _refusal(missing)
