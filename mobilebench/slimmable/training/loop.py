"""Train a network for its widths, from the first step or from where it was stopped."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from mobilebench.errors import UserError
from mobilebench.slimmable.shared import SharedNetwork
from mobilebench.slimmable.training import sandwich
from mobilebench.slimmable.training.batches import TrainingData, batches, judged
from mobilebench.slimmable.training.devices import Devices
from mobilebench.slimmable.training.judging import Hits, hits, recalibrate_from
from mobilebench.slimmable.training.resuming import NETWORK_FILE, Run, State, listing_sha256
from mobilebench.slimmable.training.trained import Trained
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.training import Norms, TrainedWidth, TrainingRecipe, TrainingReport
from mobilebench.values.width import Width
from mobilebench.zoo.checkpoints import load_checkpoint
from mobilebench.zoo.complexity import count_params
from mobilebench.zoo.registry import create_model

JUDGED_BATCH = 64
Stepped = Callable[[int, float], None]
"""Called after a step with the steps that are done and the widest width's loss; first with the
steps that an earlier run has done, and NaN."""


@dataclass(frozen=True)
class Work:
    """How a training is done; none of it changes what comes out on one kind of device."""

    workers: int = 0
    """Processes that read images."""
    save_every: int = 1000
    """Steps after which the state is kept; it is at the end of each epoch, too."""
    cpu: bool = False


def train(
    network: nn.Module,
    spec: ModelSpec,
    recipe: TrainingRecipe,
    data: TrainingData,
    folder: Path,
    work: Work,
    stepped: Stepped = lambda step, loss: None,
) -> TrainingReport:
    """Train a full network for the widths of a recipe, and judge each of them.

    `network` has the weights to begin with. FOLDER gets `shared.pt` and `report.json`, and while
    the training lasts `progress.pt`. Called again with the same recipe and images, it goes on
    where it was stopped; after its end it returns the report. With several processes, as torchrun
    starts them, each calls it, and the first one writes.

    Raises `UserError` for a width that the network cannot take, a batch that cannot be filled, a
    folder of another training and a loss that is not finite, and `ImageError` for a file that
    cannot be read.
    """
    devices = Devices(recipe.precision, cpu=work.cpu)
    data.require_batch(recipe.batch_size, devices.processes)
    run = Run(folder, recipe, listing_sha256(data.train), devices.processes)
    report = run.report()
    if report is not None:
        return report
    training = _Training(network, spec, recipe, data, devices)
    training.go_on(run.read())
    devices.wait()  # until every process has read the state
    stepped(training.step, math.nan)
    training.run(run, work, stepped)
    report = training.end(run, work)
    devices.wait()
    return report


def beginning(
    recipe: TrainingRecipe, spec: ModelSpec, data: TrainingData, checkpoint: Path | None
) -> tuple[nn.Module, ModelSpec]:
    """Build the network of the zoo that a recipe names, with the weights to begin with.

    Weights are the official initial ones, by the recipe's seed, or those of a checkpoint with the
    same classes. Raises `CheckpointError` for weights that do not fit.
    """
    classes = len(data.train.classes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network = create_model(recipe.model, num_classes=classes)
    if checkpoint is not None:
        load_checkpoint(network, checkpoint)
    return network, replace(spec, num_classes=classes, macs=None, published=())


def total_steps(recipe: TrainingRecipe, images: int) -> int:
    """Return the steps of a whole training; images that fill no batch of an epoch are left out."""
    return recipe.epochs * (images // recipe.batch_size)


def rate(recipe: TrainingRecipe, step: int, steps: int) -> float:
    """Return the learning rate of a step: a linear warm-up, then half a cosine down to zero."""
    warmup = round(recipe.warmup_epochs * steps / recipe.epochs)
    if step < warmup:
        return recipe.learning_rate * (step + 1) / warmup
    part = (step - warmup) / max(1, steps - warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * part)) / 2


class _Training:
    """A training under way."""

    def __init__(
        self,
        network: nn.Module,
        spec: ModelSpec,
        recipe: TrainingRecipe,
        data: TrainingData,
        devices: Devices,
    ) -> None:
        self._spec, self._recipe, self._data, self._devices = spec, recipe, data, devices
        self._steps = total_steps(recipe, len(data.train.images))
        private = recipe.norms is Norms.PRIVATE
        shared = SharedNetwork(network, recipe.widths, private_norms=private)
        self._shared = shared.to(devices.device)
        decayed, free = sandwich.decayed(self._shared)
        groups = [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        self._optimizer = devices.optimizer(torch.optim.AdamW(groups, lr=recipe.learning_rate))
        self.step = 0

    def go_on(self, state: State | None) -> None:
        """Take over a state that was kept."""
        if state is None:
            return
        self._shared.load_state_dict(state.network)
        self._optimizer.load_state_dict(state.optimizer)
        if state.scaler is not None and self._devices.scaler is not None:
            self._devices.scaler.load_state_dict(state.scaler)
        self.step = state.step

    def run(self, run: Run, work: Work, stepped: Stepped) -> None:
        """Train to the last step."""
        self._shared.train()
        of_epoch = self._steps // self._recipe.epochs
        for images, labels in batches(
            self._data.train,
            self._spec,
            self._recipe,
            first_step=self.step,
            part=self._devices.part,
            workers=work.workers,
        ):
            loss = self._learn(images, labels)
            self.step += 1
            if self.step % work.save_every == 0 or self.step % of_epoch == 0:
                self._keep(run)
            stepped(self.step, loss)

    def _learn(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        recipe, devices, step = self._recipe, self._devices, self.step
        torch.manual_seed(_seed(recipe.seed, step, devices.process))
        for group in self._optimizer.param_groups:
            group["lr"] = rate(recipe, step, self._steps)
        with devices.computing():
            loss = sandwich.learn(
                self._shared,
                sandwich.widths_of_step(recipe, step),
                images.to(devices.device),
                labels.to(devices.device),
                recipe,
                devices.backward,
            )
        if not math.isfinite(loss):
            raise UserError(
                f"The loss is not finite at step {step}; train with a lower --learning-rate, "
                f"in --precision fp32 or bf16, into another --out."
            )
        devices.average_gradients(self._shared)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return loss

    def _keep(self, run: Run) -> None:
        # At the same steps whether or not a run was stopped, so that it changes nothing.
        self._devices.average_statistics(self._shared)
        if self._devices.is_first:
            scaler = self._devices.scaler
            run.write(
                State(
                    step=self.step,
                    network=self._shared.state_dict(),
                    optimizer=self._optimizer.state_dict(),
                    scaler=None if scaler is None else scaler.state_dict(),
                )
            )

    def end(self, run: Run, work: Work) -> TrainingReport:
        """Judge every width, and write the network and the report."""
        recipe, devices = self._recipe, self._devices
        networks = {width.label: self._judged(width) for width in recipe.widths}
        trained = Trained(
            self._spec.name,
            recipe.resolution,
            len(self._data.train.classes),
            networks[recipe.widths[0].label],
            {},
        )
        for width in recipe.widths[1:]:
            trained.add(width, networks[width.label])
        images = judged(
            self._data.val,
            self._spec,
            batch=JUDGED_BATCH,
            part=devices.part,
            workers=work.workers,
        )
        own = hits(networks, images, devices.device)
        result = {
            label: Hits(*devices.total((each.top1, each.top5, each.images)))
            for label, each in own.items()
        }
        report = TrainingReport(
            recipe=recipe,
            classes=self._data.train.classes,
            images=len(self._data.train.images),
            images_sha256=run.images_sha256,
            steps=self.step,
            widths=tuple(
                TrainedWidth(
                    width=width,
                    recalibrated=recipe.norms is Norms.SHARED,
                    params=count_params(networks[width.label]),
                    images=result[width.label].images,
                    top1_hits=result[width.label].top1,
                    top5_hits=result[width.label].top5,
                )
                for width in recipe.widths
            ),
        )
        if devices.is_first:
            trained.write(run.folder / NETWORK_FILE)
            run.end(report)
        return report

    def _judged(self, width: Width) -> nn.Module:
        """Return the network of a width in eval mode, with its statistics."""
        network = self._shared.extract(width).eval()
        if self._recipe.norms is Norms.SHARED:
            recalibrate_from(network, self._data.train, self._spec, device=self._devices.device)
        return network


def _seed(seed: int, step: int, process: int) -> int:
    digest = hashlib.sha256(f"{seed} {step} {process}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
