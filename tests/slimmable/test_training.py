"""A network learns for its widths: the sandwich, the run that goes on, the file, the errors."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.digits import write_images
from mobilebench.conversion.loading import load
from mobilebench.errors import CheckpointError, ImageError, UserError
from mobilebench.slimmable import SharedNetwork, extract
from mobilebench.slimmable.training import latencies, loop, sandwich, searching, trained
from mobilebench.slimmable.training.batches import (
    TrainingData,
    batches,
    images_of_epoch,
    judged,
)
from mobilebench.slimmable.training.judging import Hits, hits
from mobilebench.values import wire
from mobilebench.values.request import Request
from mobilebench.values.training import (
    Norms,
    TrainingPrecision,
    TrainingRecipe,
    TrainingReport,
    falling,
)
from mobilebench.values.width import Width
from mobilebench.values.widths import Widths
from mobilebench.zoo import create_model, model_spec

MODEL = "mobilenetv2_100"
FULL, THREE_QUARTERS, HALF = (Width(shares=(share,)) for share in (1.0, 0.75, 0.5))
RECIPE = TrainingRecipe(
    model=MODEL,
    widths=(FULL, THREE_QUARTERS, HALF),
    epochs=2,
    batch_size=8,
    warmup_epochs=1,
    resolution=32,
    least_crop=0.7,
)
SPEC = model_spec(MODEL, 32)
CPU = loop.Work(save_every=3, cpu=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    """40 digits to learn from, and 20 to judge on."""
    folder = tmp_path_factory.mktemp("digits")
    write_images(folder, "val", 60)
    return TrainingData.find(folder)


def _train(
    data: TrainingData,
    folder: Path,
    recipe: TrainingRecipe = RECIPE,
    stepped: loop.Stepped = lambda step, loss: None,
) -> TrainingReport:
    network, spec = loop.beginning(recipe, SPEC, data, None)
    return loop.train(network, spec, recipe, data, folder, CPU, stepped)


@pytest.fixture(scope="module")
def run(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    _train(data, folder)
    return folder


class _Killed(BaseException):
    pass


def _stop_at(last: int) -> loop.Stepped:
    def stepped(step: int, loss: float) -> None:
        if step == last:
            raise _Killed

    return stepped


# What a step trains


def test_a_step_has_the_widest_the_narrowest_and_random_widths_of_its_seed() -> None:
    recipe = replace(RECIPE, norms=Norms.SHARED)
    steps = [sandwich.widths_of_step(recipe, step) for step in range(50)]
    assert all((each[0], each[-1], len(each)) == (FULL, HALF, 4) for each in steps)
    between = {width for each in steps for width in each[1:-1]}
    assert len(between) > 20 and all(0.5 <= width.shares[0] <= 1 for width in between)
    assert steps == [sandwich.widths_of_step(recipe, step) for step in range(50)]
    assert steps != [sandwich.widths_of_step(replace(recipe, seed=1), step) for step in range(50)]


def test_with_private_norms_the_random_widths_are_listed_ones() -> None:
    recipe = replace(RECIPE, random_widths=1, widths=falling((*RECIPE.widths, Width.parse("0.6"))))
    between = {sandwich.widths_of_step(recipe, step)[1] for step in range(50)}
    assert between == {THREE_QUARTERS, Width.parse("0.6")}
    assert sandwich.widths_of_step(replace(RECIPE, widths=(FULL,)), 0) == (FULL,)


def test_by_stage_every_stage_draws_its_own_share() -> None:
    recipe = replace(
        RECIPE, norms=Norms.SHARED, by_stage=True, widths=(FULL, Width.parse("0.75,0.5,0.5,0.25"))
    )
    drawn = [sandwich.widths_of_step(recipe, step)[1].shares for step in range(100)]
    for stage, least in enumerate((0.75, 0.5, 0.5, 0.25)):
        shares = [each[stage] for each in drawn]
        assert least <= min(shares) < max(shares) <= 1
    assert any(len(set(each)) == 4 for each in drawn)
    with pytest.raises(ValueError, match="by stage have no private norms"):
        sandwich.require_possible(replace(recipe, norms=Norms.PRIVATE))


@pytest.mark.parametrize("distil", [True, False])
def test_narrower_widths_learn_from_the_soft_outputs_of_the_widest(distil: bool) -> None:
    """And gradients of all widths add up on the shared weights."""
    recipe = replace(RECIPE, distil=distil, widths=(FULL, HALF))
    torch.manual_seed(0)
    shared = SharedNetwork(_without_dropout(create_model(MODEL, num_classes=5)), recipe.widths)
    shared.train()
    images, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    losses: list[Tensor] = []

    def backward(loss: Tensor) -> None:
        losses.append(loss.detach())
        loss.backward()

    first = sandwich.learn(shared, recipe.widths, images, labels, recipe, backward)
    gradients = [p.grad.clone() for p in shared.parameters() if p.grad is not None]

    shared.zero_grad()
    wide, narrow = shared(images, FULL), shared(images, HALF)
    assert isinstance(wide, Tensor) and isinstance(narrow, Tensor)
    taught = wide.detach().softmax(1) if distil else labels
    smoothing = 0.0 if distil else recipe.label_smoothing
    expected = [
        cross_entropy(wide, labels, label_smoothing=recipe.label_smoothing),
        cross_entropy(narrow, taught, label_smoothing=smoothing),
    ]
    assert torch.allclose(torch.stack(losses), torch.stack(expected).detach(), atol=1e-6)
    assert first == float(losses[0])
    (expected[0] + expected[1]).backward()
    again = [p.grad for p in shared.parameters() if p.grad is not None]
    assert len(again) == len(gradients) == len(list(shared.parameters()))
    for one, other in zip(gradients, again, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5)


def _without_dropout(network: nn.Module) -> nn.Module:
    for part in network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return network


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [loop.rate(RECIPE, step, 10) for step in range(10)]
    assert rates[:5] == pytest.approx([RECIPE.learning_rate * part / 5 for part in range(1, 6)])
    assert rates[4] == rates[5] > rates[6] > rates[9] > 0
    assert loop.rate(RECIPE, 10, 10) == pytest.approx(0)


def test_weight_decay_leaves_out_biases_and_norms() -> None:
    decayed, free = sandwich.decayed(SharedNetwork(create_model(MODEL, num_classes=5), [1, 0.5]))
    assert {parameter.dim() for parameter in decayed} == {2, 4}
    assert {parameter.dim() for parameter in free} == {1}


# Batches


def test_batches_from_a_step_are_those_of_a_whole_run(data: TrainingData) -> None:
    whole = list(batches(data.train, SPEC, RECIPE, first_step=0))
    rest = list(batches(data.train, SPEC, RECIPE, first_step=7))
    assert len(whole) == 10 and len(rest) == 3
    for (images, labels), (others, names) in zip(whole[7:], rest, strict=True):
        assert torch.equal(images, others) and torch.equal(labels, names)
    assert not torch.equal(whole[0][0], whole[5][0]), "the next epoch has another order"


def test_devices_share_a_batch_without_overlap(data: TrainingData) -> None:
    [whole, *_] = batches(data.train, SPEC, RECIPE, first_step=0)
    first, second = (
        next(batches(data.train, SPEC, RECIPE, first_step=0, part=(process, 2)))
        for process in range(2)
    )
    assert torch.equal(whole[0][0::2], first[0]) and torch.equal(whole[0][1::2], second[0])
    order = images_of_epoch(0, 0, 40)
    assert sorted(order) == list(range(40)) != order


# A run


def test_a_run_that_was_stopped_ends_with_the_same_bits(
    run: Path, data: TrainingData, tmp_path: Path
) -> None:
    """It is stopped between two states, so a step is done again; and once more at its end."""
    for last in (4, 10):
        with pytest.raises(_Killed):
            _train(data, tmp_path, stepped=_stop_at(last))
        assert (tmp_path / "progress.pt").exists() and not (tmp_path / "report.json").exists()
    begun: list[int] = []
    report = _train(data, tmp_path, stepped=lambda step, loss: begun.append(step))
    assert begun == [10]
    assert report == wire.read(TrainingReport, run / "report.json")
    one, other = (torch.load(each / "shared.pt")["model"] for each in (run, tmp_path))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "shared.pt"]


def test_a_run_changes_every_weight(run: Path, data: TrainingData) -> None:
    network, _ = loop.beginning(RECIPE, SPEC, data, None)
    learned = trained.read(run / "shared.pt", MODEL)
    before = dict(network.named_parameters())
    assert all(
        not torch.equal(before[name], each) for name, each in learned.network.named_parameters()
    )
    assert learned.num_classes == 10 and learned.resolution == 32


def test_the_file_holds_the_private_norms_of_every_width(run: Path, data: TrainingData) -> None:
    """Each width of the file scores what the report says, and a width has none of another."""
    learned = trained.read(run / "shared.pt", MODEL)
    assert set(learned.norms) == {"w0_75", "w0_5"}
    assert learned.has(FULL) and learned.has(HALF) and not learned.has(Width.parse("0.6"))
    report = wire.read(TrainingReport, run / "report.json")
    networks = {
        each.width.label: learned.extract(each.width, "the file").eval() for each in report.widths
    }
    by_width = hits(networks, judged(data.val, SPEC, batch=7))
    for each in report.widths:
        assert by_width[each.width.label] == Hits(each.top1_hits, each.top5_hits, 20)
        assert not each.recalibrated
    cut = extract(learned.network, HALF).state_dict()
    own = networks["w0.5"].state_dict()
    norms = learned.norms["w0_5"]
    assert all(torch.equal(own[name], norms[name]) for name in norms)
    assert all(torch.equal(own[name], cut[name]) for name in own if name not in norms)
    assert not all(torch.equal(own[name], cut[name]) for name in norms)


def test_an_export_takes_the_norms_of_its_width_or_refuses(run: Path) -> None:
    request = Request(
        reference=MODEL, checkpoint=str(run / "shared.pt"), num_classes=10, resolution=32
    )
    learned = trained.read(run / "shared.pt", MODEL)
    for width in (FULL, HALF):
        state = load(replace(request, width=width)).module.state_dict()
        own = learned.extract(width, "the file").state_dict()
        assert all(torch.equal(state[name], own[name]) for name in own)
    with pytest.raises(CheckpointError, match=r"--width 0.6 was given .* widths 0.5 and 0.75 al"):
        load(replace(request, width=Width.parse("0.6")))


def test_shared_norms_are_recalibrated_for_every_listed_width(
    data: TrainingData, tmp_path: Path
) -> None:
    recipe = replace(
        RECIPE, norms=Norms.SHARED, by_stage=True, epochs=1, widths=(FULL, Width.parse("1,1,1,.5"))
    )
    report = _train(data, tmp_path, recipe)
    assert [each.recalibrated for each in report.widths] == [True, True]
    assert set(trained.read(tmp_path / "shared.pt", MODEL).norms) == {"w1-1-1-0_5"}


def test_hits_count_a_tie_and_a_score_that_is_not_finite_as_wrong() -> None:
    scores = torch.tensor([[1.0, 0, 0], [1, 1, 0], [math.nan, 0, 0], [0, 0, 9]])
    labels = torch.tensor([0, 0, 1, 0])
    counts = hits({"it": nn.Identity()}, [(scores, labels)])
    assert counts == {"it": Hits(top1=1, top5=3, images=4)}


# The search


def _candidate(width: str, latency_ms: float, top1: int) -> searching.Candidate:
    return searching.Candidate(Width.parse(width), latency_ms, Hits(top1, 100, 100), False)


def test_the_front_leaves_out_what_another_equals_or_beats() -> None:
    all_ = [
        _candidate("1", 10.0, 90),
        _candidate("0.9", 9.0, 90),  # as accurate, and faster than the full one
        _candidate("0.7", 7.0, 80),
        _candidate("0.6", 7.5, 79),  # slower and worse
        _candidate("0.5", 5.0, 70),
    ]
    assert [str(each.width) for each in searching.front(all_)] == ["0.9", "0.7", "0.5"]


def test_widths_of_the_table_fall_with_their_latencies() -> None:
    front = [
        _candidate("1", 10.0, 90),
        _candidate("1,1,0.2,0.2", 9.0, 85),  # narrower than the next two, and slower
        _candidate("0.8", 8.0, 80),
        _candidate("0.7", 7.0, 75),
    ]
    chosen = searching.in_falling_order(front)
    assert [str(each.width) for each in chosen] == ["1", "0.8", "0.7"]
    table = searching.as_widths(chosen, "a table", "here")
    assert [each.cool_ms for each in table.widths] == [10.0, 8.0, 7.0]
    by_stage = searching.as_widths([_candidate("1,1,0.2,0.2", 9.0, 85)], "a table", "here")
    assert by_stage.widths[0].stage_widths == (1.0, 1.0, 0.2, 0.2)
    assert by_stage.widths[0].width == 0.6
    for each in (table, by_stage):
        assert wire.loads(Widths, wire.dumps(each)) == each


def test_a_search_judges_trained_widths_with_their_norms_and_recalibrates_others(
    run: Path, data: TrainingData, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text('width,latency_ms\n0.5,5\n1,10\n"1,0.5,0.5,0.5",6.5\n')
    learned = trained.read(run / "shared.pt", MODEL)
    candidates = searching.judge(
        learned, SPEC, data, latencies.read(tmp_path / "t.csv"), judged_on=data.val
    )
    report = wire.read(TrainingReport, run / "report.json")
    assert [str(each.width) for each in candidates] == ["1", "1,0.5,0.5,0.5", "0.5"]
    assert [each.recalibrated for each in candidates] == [False, True, False]
    assert candidates[0].hits.top1 == report.widths[0].top1_hits
    assert candidates[2].hits.top1 == report.widths[2].top1_hits
    assert set(learned.norms) == {"w0_75", "w0_5"}, "the file's own norms do not change"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("t.csv", "width,latency_ms\n", "holds no latencies; write lines of width,latency_ms"),
        ("t.csv", "width,latency_ms\n0.5,fast\n", "which is no latency"),
        ("t.csv", "width,latency_ms\n0.5,nan\n", "has the latency nan ms"),
        ("t.csv", "width,latency_ms\n0.5,-1\n", "has the latency -1 ms"),
        ("t.csv", "width,latency_ms\n2,1\n", "--width was given as 2"),
        ("t.csv", "width,latency_ms\n0.5,1\n0.5,2\n", "The width 0.5 is twice"),
        ("t.json", '{"latencies": 3}', "holds no latencies"),
        ("lost.csv", None, "lost.csv cannot be read"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(
    tmp_path: Path, name: str, text: str | None, sentence: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=sentence):
        latencies.read(tmp_path / name)


def test_a_table_as_json_names_its_source(tmp_path: Path) -> None:
    rows = [{"width": 0.5, "latency_ms": 2}, {"width": [1, 1, 1, 0.5], "latency_ms": 3}]
    (tmp_path / "t.json").write_text(json.dumps({"source": "my board", "latencies": rows}))
    table = latencies.read(tmp_path / "t.json")
    assert table.source == "my board"
    assert [str(row.width) for row in table.rows] == ["0.5", "1,1,1,0.5"]


# Errors


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed"),
        ({"widths": (FULL, HALF), "distil": False}, "widths and distil"),
    ],
)
def test_a_folder_of_another_training_is_refused(
    run: Path, data: TrainingData, change: dict[str, object], named: str
) -> None:
    before = {path: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(UserError, match=f"holds a training with other {named}; give what"):
        _train(data, run, replace(RECIPE, **change))  # type: ignore[arg-type]
    assert {path: path.read_bytes() for path in run.iterdir()} == before


def test_a_damaged_state_is_named(data: TrainingData, tmp_path: Path) -> None:
    (tmp_path / "progress.pt").write_bytes(b"half")
    with pytest.raises(UserError, match=r"progress.pt cannot be read; delete it to begin again"):
        _train(data, tmp_path)


def test_a_loss_that_is_not_finite_ends_the_training(data: TrainingData, tmp_path: Path) -> None:
    network, spec = loop.beginning(RECIPE, SPEC, data, None)
    for parameter in network.parameters():
        nn.init.constant_(parameter, math.inf)
    with pytest.raises(UserError, match="The loss is not finite at step 0; .* --learning-rate"):
        loop.train(network, spec, RECIPE, data, tmp_path, CPU)
    assert not list(tmp_path.iterdir())


def test_an_image_that_cannot_be_read_is_named(data: TrainingData, tmp_path: Path) -> None:
    write_images(tmp_path / "digits", "val", 60)
    broken = next((tmp_path / "digits" / "train" / "3").iterdir())
    broken.write_bytes(b"no image")
    with pytest.raises(ImageError, match=broken.name):
        _train(TrainingData.find(tmp_path / "digits"), tmp_path / "run")


def _no_val(folder: Path) -> None:
    (folder / "val").rename(folder / "test")


def _other_class(folder: Path) -> None:
    (folder / "val" / "3").rename(folder / "val" / "three")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [(_no_val, "has no folder val; put the images"), (_other_class, "has a folder for the class")],
)
def test_a_data_set_that_is_none_is_one_sentence(
    tmp_path: Path, spoil: Callable[[Path], None], sentence: str
) -> None:
    write_images(tmp_path, "val", 60)
    spoil(tmp_path)
    with pytest.raises(UserError, match=sentence):
        TrainingData.find(tmp_path)


def test_a_batch_that_cannot_be_filled_or_shared_is_refused(data: TrainingData) -> None:
    for size, devices, sentence in (
        (41, 1, "has 40 images; give 40 or less"),
        (9, 2, "a multiple of 2"),
        (2, 2, "at least 2 images for each"),
    ):
        with pytest.raises(UserError, match=sentence):
            data.require_batch(size, devices)


def test_a_file_of_anything_else_is_refused(run: Path, tmp_path: Path) -> None:
    torch.save(create_model(MODEL).state_dict(), tmp_path / "plain.pth")
    with pytest.raises(CheckpointError, match="is not the file of a network that was trained for"):
        trained.read(tmp_path / "plain.pth", MODEL)
    with pytest.raises(CheckpointError, match="is of mobilenetv2_100, not of mobilevig_ti"):
        trained.read(run / "shared.pt", "mobilevig_ti")


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU fp16 trains")
def test_fp16_on_a_cpu_is_refused(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--precision is fp16, which needs a GPU"):
        _train(data, tmp_path, replace(RECIPE, precision=TrainingPrecision.FP16))
