"""Tables with how they were measured and what to cite, as pdflatex takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mobilebench.leaderboard import methods, rank
from mobilebench.leaderboard.bibtex import bibliography
from mobilebench.leaderboard.columns import named
from mobilebench.leaderboard.latex import as_latex
from mobilebench.leaderboard.paper import as_paper
from mobilebench.notation import escapes
from mobilebench.values.device import DeviceKind, ThermalState
from mobilebench.values.measurement import (
    ComputeUnit,
    Diagnosis,
    GateLog,
    Measurement,
    UnitEvidence,
    Validity,
)
from mobilebench.values.modelspec import Source
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from mobilebench.values.reported import Latency, Reported
from mobilebench.zoo import registry
from tests.leaderboard.typesetting import fragment, needs_latex, needs_text, text_of, typeset
from tests.records import failed_export, judged, measured

PAPERS = {family: registry.citation(family) for family in registry.families()}
REPORTED = Reported(
    report_id="a", source="a paper", file="f", model="net", latency=Latency(p50_ns=2e6)
)
ATTACKS = (
    r"\input{/etc/passwd}",
    r"\immediate\write18{touch owned}",
    r"\end{document}",
    r"$x_1^2$ & 5 % of # ~ ^^41 \\ [2ex] *",
    r"}}}{{{ \def\par{} \catcode`\%=12",
    "line\none\ttab \x00\x1b[31m \u202e\u200b\ufeff",
    "中文 Ωμέγα 🙂 café e\u0301 ą Ð ½ ﬁ",
    "a--b '' `` ,, <<x>> ?` !`",
    "w" * 4000,
    "word " * 2000,
    "@article{x, title={y}}",
)


def _paper(records: Sequence[Record], **options: object) -> str:
    rows = rank(records)
    by_id = {record.record_id: record for record in records}
    return as_paper(rows, [by_id[row.record_id] for row in rows], **options)  # type: ignore[arg-type]


def _said(records: Sequence[Record]) -> dict[str, str]:
    return {heading: " ".join(each) for heading, each in methods.sentences(records)}


def _outcome(record: Record, **changes: object) -> Record:
    assert isinstance(record.outcome, Measurement)
    return replace(record, outcome=replace(record.outcome, **changes))  # type: ignore[arg-type]


def _on_gpu(record: Record, evidence: UnitEvidence) -> Record:
    assert isinstance(record.outcome, Measurement)
    runtime = replace(
        record.outcome.runtime,
        compute_unit_requested=ComputeUnit.GPU,
        compute_unit_evidence=evidence,
    )
    return _outcome(record, runtime=runtime)


def test_the_paragraph_names_device_build_runtime_protocol_and_statistics() -> None:
    said = _said([measured(protocol_id="burst-1")])
    first = said["Devices and software"]
    assert "Made-up phone (simulated: no phone was measured; 6 cores, 8 GiB of memory; " in first
    assert "iOS 26.1, build 23B85)" in first
    assert "onnxruntime 1.0 on the CPU with 1 thread ran 1 row." in first
    assert "That the CPU did the work is confirmed for the row" in first
    protocol = said["Protocol"]
    assert "burst-1: 5 rounds, each of which loads the file anew" in protocol
    assert "stay within 4% of each other for more than 40 inferences in a row" in protocol
    assert "A row thus holds 3 measured inferences in 1 round, after 1 inference" in protocol
    assert "median and the 90th percentile of all measured inferences" in said["Statistics"]
    assert "No record is signed." in said["Rows"]


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    record = measured()
    record = replace(record, device=replace(record.device, os_build=None, kind=DeviceKind.PHONE))
    assert (
        "a phone; 6 cores, 8 GiB of memory; iOS 26.1, build not known"
        in (_said([record])["Devices and software"])
    )


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (UnitEvidence.CONFIRMED, "is confirmed for the row"),
        (UnitEvidence.LIKELY, "is likely for the row"),
        (UnitEvidence.NOT_SUPPORTED, "is contradicted by the device's own plan for the row"),
        (UnitEvidence.UNKNOWN, "is not known for the row"),
    ],
)
def test_the_unit_comes_with_its_evidence(evidence: UnitEvidence, words: str) -> None:
    said = _said([_on_gpu(measured(), evidence)])["Devices and software"]
    assert f"That the GPU did the work {words}; the evidence is" in said
    assert "(no row with one) and the latency of the same file on other units" in said


def test_the_gate_says_what_the_rounds_met_not_what_the_rule_asks() -> None:
    logs = (
        GateLog(waited_ns=0, start=ThermalState.NOMINAL, open=True),
        GateLog(waited_ns=2_000_000_000, start=ThermalState.NOMINAL, open=True),
        GateLog(waited_ns=300_000_000_000, start=ThermalState.FAIR, open=False),
        GateLog(waited_ns=0, start=None, open=False),
    )
    said = _said([_outcome(measured(protocol_id="burst-1"), gates=logs)])["Protocol"]
    assert (
        "at most 5 min: 2 of 4 rounds began so, 1 of 4 rounds began although the device does not "
        "tell its thermal state, 1 of 4 rounds began warmer, when the time was over."
    ) in said
    assert "The longest wait was 5 min." in said
    quick = replace(logs[0], waited_ns=351)
    said = _said([_outcome(measured(protocol_id="burst-1"), gates=(quick,))])["Protocol"]
    assert "the round began so." in said and "longest wait" not in said
    assert "smoke-1 has no thermal gate." in _said([measured()])["Protocol"]


def test_a_spread_is_called_an_interval_only_where_it_is_one() -> None:
    one_round = _said([measured(protocol_id="burst-1")])["Statistics"]
    assert "interval" not in one_round and "spread" not in one_round, "of one round there is none"
    record = measured(latencies_ns=(10, 20, 30, 40, 50))
    assert isinstance(record.outcome, Measurement)
    samples = replace(record.outcome.samples, round=(0, 0, 0, 1, 1))
    two = _said([_outcome(record, samples=samples)])["Statistics"]
    assert "is the 50% interval of the median round, from 2 rounds (smoke-1)" in two
    assert "not another day and not another device" in two


def test_suspect_failed_and_reported_rows_are_counted() -> None:
    suspect = measured(record_id="c" * 32, threads=2, reasons=(Diagnosis.NOISY_SAMPLES,))
    records = [measured(), suspect, failed_export(target="opset18")]
    paragraphs = dict(methods.sentences(records, [REPORTED]))
    said = " ".join(paragraphs["Rows"])
    assert "1 of 2 runs is suspect: noisy samples." in said
    assert "1 of 3 rows failed and has no latency." in said
    assert "1 result is reported by others: it was not measured here" in said
    assert "No record is signed." in said


def test_labels_of_rows_are_notes_of_the_table() -> None:
    suspect = measured(record_id="c" * 32, threads=2, reasons=(Diagnosis.NOISY_SAMPLES,))
    host = replace(measured().device, kind=DeviceKind.HOST, id="host", model="EPYC")
    other = replace(measured(record_id="d" * 32), device=host)
    failed = failed_export(target="opset18")
    text = escapes_undone(as_latex(rank([measured(), suspect, other, failed]), [REPORTED]))
    assert "measured on simulated (Made-up phone), not on a phone" in text
    assert "measured on host (EPYC), not on a phone" in text
    assert "suspect: noisy samples." in text
    assert "failed at export; its record holds the message." in text
    assert "Reported by others, not measured here." in text


def escapes_undone(text: str) -> str:
    """Return a text of LaTeX in one line, with the lines of its notes joined."""
    return " ".join(text.split())


def test_a_long_table_is_parted_and_a_long_name_is_in_full_below() -> None:
    name = "network_" + "x" * 100
    records = [
        replace(
            measured(record_id=f"{number:032x}", model=name),
            recipe=ExportRecipe(format=Format.ONNX, target=f"opset{number}"),
        )
        for number in range(90)
    ]
    text = as_latex(rank(records))
    assert [f"part {n} of 3." in text for n in (1, 2, 3)] == [True] * 3
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3
    assert r"network\_" in text and r"\ldots{}" in text
    assert f"in full: {escapes.latex(name)}" in escapes_undone(text)


def test_columns_that_do_not_fit_are_left_out_and_named() -> None:
    records = [measured(model="a_network_with_quite_a_long_name_of_its_family")]
    rows = rank(records, [judged(records[0], 90)])
    left = re.search(r"% Left out, for the table is wide enough: (.*);", as_latex(rows))
    assert left is not None
    head = next(line for line in as_latex(rows).splitlines() if line.startswith("model"))
    assert "model & artifact" in head and "p50" in head
    assert left[1].split(", ")[0] not in head


@needs_latex
def test_a_document_compiles_as_it_is(tmp_path: Path) -> None:
    records = [measured(), measured(record_id="c" * 32, protocol_id="burst-1")]
    pdf = typeset(_paper(records, reported=[REPORTED], standalone=True), tmp_path)
    assert pdf.read_bytes().startswith(b"%PDF")


@needs_latex
def test_the_parts_compile_inside_a_paper(tmp_path: Path) -> None:
    typeset(fragment(_paper([measured(), failed_export(target="opset18")])), tmp_path)


def _attacked(text: str) -> list[Record]:
    record = measured(model=text)
    record = replace(
        record,
        device=replace(record.device, model=text, os=text, os_build=text, soc=text),
        provenance=replace(record.provenance, harness_version=text),
    )
    assert isinstance(record.outcome, Measurement) and record.job is not None
    runtime = replace(record.outcome.runtime, name=text, version=text, settings={text: text})
    return [_outcome(record, runtime=runtime), failed_export(target=text)]


@needs_latex
@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_text_of_others_compiles_to_text(text: str, tmp_path: Path) -> None:
    result = replace(REPORTED, model=text, source=text, remarks=(text,))
    cited = bibliography([_sourced(record, text).model for record in _attacked(text)], PAPERS)
    document = _paper(_attacked(text), reported=[result], standalone=True, bibliography=cited)
    typeset(document, tmp_path, {"networks.bib": cited.as_bibtex()})
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [
        ".aux", ".bbl", ".bib", ".blg", ".log", ".pdf", ".tex",
    ]  # fmt: skip


@needs_text
def test_what_a_reader_sees_is_the_text_itself(tmp_path: Path) -> None:
    shown = {
        r"\input{/etc/passwd} 100% of #1 & $y$": r"\input{/etc/passwd} 100% of #1 & $y$",
        "a--b ,, <x>": "a--b ,, <x>",
        "中文": "U+4E2DU+6587",
    }
    for number, (text, seen) in enumerate(shown.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        pdf = typeset(_paper([measured(model=text)], standalone=True), folder)
        assert seen in text_of(pdf)


def _sourced(record: Record, paper: str, commit: str = "timm 1.0") -> Record:
    source = Source(paper=paper, repository=f"https://x/{paper}", commit=commit, licence=paper)
    return replace(record, model=replace(record.model, source=source))


def test_networks_of_the_zoo_are_cited_by_what_the_zoo_knows() -> None:
    specs = [registry.model_spec(name) for name in registry.list_models()]
    cited = bibliography(specs, PAPERS)
    assert [each.key for each in cited.cited] == registry.families() and not cited.unknown
    text = cited.as_bibtex()
    [entry] = [each.entry for each in cited.cited if each.key == "mobilevig"]
    assert entry == (
        "% The zoo knows the authors by their family names.\n"
        "@inproceedings{mobilevig,\n"
        "  author = {Munir and Avery and Marculescu},\n"
        "  title = {{MobileViG: Graph-Based Sparse Attention for Mobile Vision Applications}},\n"
        "  booktitle = {CVPR Workshops},\n"
        "  year = {2023},\n"
        "  eprint = {2307.00395},\n"
        "  archivePrefix = {arXiv},\n"
        "}\n"
    )
    assert "% The zoo knows no title and no authors of this paper.\n@misc{adaptvig," in text
    assert "author = {Munir and others}" in text


def test_a_paper_of_the_zoo_is_the_one_in_its_familys_own_file() -> None:
    folder = Path(registry.__file__).parent
    for family, paper in PAPERS.items():
        about = " ".join((folder / f"{family}.py").read_text().partition("\n\n")[2].split())
        head = about[: about.index('"""')]
        assert f"arXiv:{paper.arxiv}" in head, family
        assert ", ".join(paper.authors) in head
        assert ('"' in head) == (paper.title is not None)
        assert paper.title is None or f'"{paper.title}"' in head
        assert paper.more_authors == ("et al." in head)
        source = registry.model_spec(registry.list_models(family)[0]).source
        assert source is not None
        venue = paper.venue.replace(" Workshops", "W")
        assert source.paper == f"arXiv:{paper.arxiv} ({venue} {paper.year})"


def test_networks_of_timm_and_of_authors_get_what_is_known() -> None:
    stated = _sourced(measured(model="resnet18.a1"), "ResNet strikes back").model
    silent = _sourced(measured(model="odd_net"), "not stated").model
    own = measured(model="net.make @article{x").model
    cited = bibliography([stated, silent, own], PAPERS)
    assert [each.key for each in cited.cited] == ["resnet-strikes-back", "odd-net"]
    text = cited.as_bibtex()
    assert "title = {{ResNet strikes back}}" in text
    assert "howpublished = {resnet18.a1 of timm 1.0, https://x/ResNet strikes back}" in text
    assert "% Its record states neither the authors nor the year." in text
    assert "% Its record states no paper.\n@misc{odd-net,\n  key = {odd\\_net}," in text
    assert "% net.make (at)article{x: its record states no source" in text
    assert text.count("@") == 2, "an entry begins at any @"


def test_keys_of_two_papers_differ() -> None:
    one = _sourced(measured(model="a"), "A paper!").model
    other = _sourced(measured(model="b"), "A Paper?").model
    assert [each.key for each in bibliography([one, other], PAPERS).cited] == [
        "a-paper",
        "a-paper-2",
    ]


@needs_text
def test_a_document_cites_its_networks(tmp_path: Path) -> None:
    records = [
        replace(measured(), model=registry.model_spec("mobilevig_ti")),
        replace(measured(record_id="c" * 32), model=registry.model_spec("adaptvig_s")),
        measured(record_id="d" * 32, model="net.make"),
    ]
    cited = bibliography([record.model for record in records], PAPERS)
    document = _paper(records, standalone=True, bibliography=cited, bibliography_file="nets")
    seen = text_of(typeset(document, tmp_path, {"nets.bib": cited.as_bibtex()}))
    assert "Networks. MobileViG [2] (mobilevig ti); AdaptViG [1] (adaptvig s)" in seen
    assert "without a source to cite: net.make." in seen
    assert "Munir, Avery, and Marculescu. MobileViG: Graph-Based Sparse Attention" in seen
    assert "AdaptViG, WACV, arXiv:2511.09942, 2026." in seen


def _in_rounds(id_: str, model: str, *levels_ms: float) -> Record:
    record = measured(
        record_id=id_ * 32,
        model=model,
        protocol_id="burst-1",
        latencies_ns=[20_000_000, *(round(each * 1e6) for each in levels_ms)],
    )
    assert isinstance(record.outcome, Measurement)
    samples = replace(record.outcome.samples, round=(0, *range(len(levels_ms))))
    return _outcome(record, samples=samples)


def test_ranks_in_a_paper_say_what_their_signs_mean() -> None:
    suspect = _outcome(
        _in_rounds("c", "odd", 9, 9, 9, 9, 9),
        validity=Validity.SUSPECT,
        reasons=(Diagnosis.NOISY_SAMPLES,),
    )
    records = [
        _in_rounds("a", "one", 10, 11, 12, 13, 14),
        _in_rounds("b", "other", 10, 11, 12, 13, 15),
        suspect,
    ]
    text = escapes_undone(as_latex(rank(records), columns=named("rank,model,p50")))
    assert r"1= & one & 12.0 ms \\" in text and r"1= & other & 12.0 ms \\" in text
    assert "rank: rows with = are not told apart: their intervals overlap" in text
    unranked = re.search(r"--\\textsuperscript\{([a-z])\} & odd", text)
    assert unranked is not None
    assert rf"\textsuperscript{{{unranked[1]}}}~not ranked: suspect.\par" in text


def test_a_board_of_reported_results_alone_is_a_table_too() -> None:
    text = as_paper([], [], [REPORTED])
    assert r"\caption{Reported by others, not measured here.}" in text
    assert "1 result is reported by others" in escapes_undone(text)
    assert "Protocol" not in text and "signed" not in text
