"""Plan a measurement: artifacts by one setting become cells, each with its job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mobilebench import plugins
from mobilebench.errors import UserError
from mobilebench.interfaces import Reaching, Runner
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import Device
from mobilebench.values.job import Job, Limits, Variant, VariantAccuracy
from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.policy import Policy
from mobilebench.values.protocol import Protocol
from mobilebench.values.threads import require_threads
from mobilebench.values.wishes import Wishes


@dataclass(frozen=True)
class Setting:
    """The device, and how artifacts are measured on it."""

    device_id: str
    protocol: Protocol
    runtimes: tuple[str, ...] = ()
    """Runtimes to measure on; with none, each artifact runs on the usual one of its format."""
    threads: tuple[int, ...] = (1,)
    compute_unit: ComputeUnit = ComputeUnit.CPU
    policy: Policy = field(default_factory=Policy)
    """How a device chooses between the artifacts of a job, where it has several."""
    wishes: Wishes = field(default_factory=Wishes)
    """What is set on the device for each run."""

    def __post_init__(self) -> None:
        for threads in self.threads:
            require_threads(threads)


@dataclass(frozen=True)
class Cell:
    """One artifact and its job for one device."""

    device: Device
    artifact: Artifact
    job: Job
    commit: str | None = None
    """Commit that the artifact was made from; None for that of the working folder."""
    variants: tuple[Artifact, ...] = ()
    """Artifacts of the job's variants after the first, in their order."""
    wishes: Wishes = field(default_factory=Wishes)
    """What is set on the device for the run."""

    @property
    def name(self) -> str:
        """Return a readable name of the cell."""
        return f"{self.artifact.name}, {self.job.title}"


@dataclass(frozen=True)
class Plan:
    """The cells of a measurement, and the artifacts that the device cannot run."""

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]
    """A sentence for each artifact that has no cell."""


@dataclass(frozen=True)
class PairPlan:
    """The pairs of cells of a comparison, and the pairs that the device cannot run."""

    cells: tuple[tuple[Cell, Cell], ...]
    left_out: tuple[str, ...]
    """A sentence for each pair that no runtime of the device takes on either side."""


def plan(artifacts: Sequence[Artifact], setting: Setting, device: Device | None = None) -> Plan:
    """Plan every artifact on every runtime that takes its format, at every thread count.

    `device` is that of the setting, where it was read already. An artifact that no runtime of the
    setting takes is left out. Raises `UserError` where that leaves nothing, and where the device or
    a runtime is not available.
    """
    if device is None:
        runner, device = find_device(setting.device_id)
    else:
        runner = plugins.runner(setting.device_id)
    cells: list[Cell] = []
    left_out: list[str] = []
    for artifact in artifacts:
        runtimes = _runtimes(artifact, runner, setting.runtimes)
        cells += [
            _cell(device, artifact, runtime, threads, setting)
            for runtime in runtimes
            for threads in setting.threads
        ]
        if not runtimes:
            left_out.append(_not_measured(artifact, runner, setting.runtimes))
    if not cells:
        raise UserError(left_out[0] if left_out else "There is no artifact to measure.")
    return Plan(tuple(cells), tuple(left_out))


@dataclass(frozen=True)
class WidthFiles:
    """The widths of one network, between which a policy chooses."""

    widest: Artifact
    others: tuple[Artifact, ...]
    """Of the variants after the first, in their order; empty where one file holds all of them."""
    variants: tuple[Variant, ...]


def width_files(
    artifacts: Sequence[Artifact], accuracies: Mapping[float, VariantAccuracy]
) -> WidthFiles:
    """Arrange artifacts that are widths of one network as the variants of a job.

    `accuracies` are by width. Raises `UserError` for artifacts that are not widths of one network
    in one format, and for a width that comes twice.
    """
    if len(artifacts) == 1 and artifacts[0].manifest.widths:
        return WidthFiles(artifacts[0], (), _entries(artifacts[0], accuracies))
    widest, *others = sorted(artifacts, key=_width, reverse=True)
    return WidthFiles(widest, tuple(others), _files([widest, *others], accuracies))


def plan_widths(given: WidthFiles, setting: Setting, device: Device | None = None) -> Plan:
    """Plan the widths of a network as one job, between which the setting's policy chooses.

    `device` is as in `plan`, and what is raised too.
    """
    planned = plan([given.widest], setting, device)
    cells = (
        replace(
            cell,
            job=replace(cell.job, variants=given.variants, policy=setting.policy),
            variants=given.others,
        )
        for cell in planned.cells
    )
    return replace(planned, cells=tuple(cells))


def _entries(
    artifact: Artifact, accuracies: Mapping[float, VariantAccuracy]
) -> tuple[Variant, ...]:
    """Return the widths of one file that holds them all."""
    manifest = artifact.manifest
    return tuple(
        Variant(
            name=f"{artifact.name} {each.name}",
            model_file=manifest.model_file,
            model_sha256=manifest.facts.sha256,
            width=each.model.width,
            entry=each.entry,
            accuracy=accuracies.get(each.model.width),
        )
        for each in manifest.widths
    )


def _files(
    widest_first: Sequence[Artifact], accuracies: Mapping[float, VariantAccuracy]
) -> tuple[Variant, ...]:
    """Return widths that have a file each. Raises `UserError` where they do not fit together."""
    widest = widest_first[0]
    for other in widest_first:
        _require_same_network(widest, other)
        if other.manifest.widths:
            raise UserError(
                f"{other.name} holds several widths, and other artifacts were given with it; give "
                f"it alone."
            )
    shares = [_width(artifact) for artifact in widest_first]
    if len(set(shares)) < len(shares):
        names = ", ".join(artifact.name for artifact in widest_first)
        raise UserError(f"Two of the artifacts have one width: {names}; give each width once.")
    return tuple(
        Variant(
            name=artifact.name,
            model_file=f"variants/{at}/{artifact.manifest.model_file}"
            if at
            else artifact.manifest.model_file,
            model_sha256=artifact.manifest.facts.sha256,
            width=share,
            accuracy=accuracies.get(share),
        )
        for at, (artifact, share) in enumerate(zip(widest_first, shares, strict=True))
    )


def _width(artifact: Artifact) -> float:
    return artifact.manifest.model.width


def _require_same_network(one: Artifact, other: Artifact) -> None:
    """Raise `UserError` unless two artifacts are widths of one network, alike in all else."""
    first, second = one.manifest, other.manifest
    for noun, ours, theirs in (
        ("network", first.model.name, second.model.name),
        ("recipe", first.recipe.label, second.recipe.label),
        ("input", list(map(str, first.inputs)), list(map(str, second.inputs))),
    ):
        if ours != theirs:
            raise UserError(
                f"A policy chooses between widths of one network, and {one.name} has the {noun} "
                f"{ours} while {other.name} has {theirs}; export them alike."
            )


def plan_pairs(first: Sequence[Artifact], second: Sequence[Artifact], setting: Setting) -> PairPlan:
    """Plan pairs of cells: artifacts of one side with their counterparts on the other.

    A counterpart has the same position on its side. Each pair is planned on every runtime that
    takes both; a pair whose sides both have none here is left out. Raises `UserError` where that
    leaves nothing, where the sides do not match, and where the device is not available.
    """
    if len(first) != len(second) or not first:
        raise UserError(
            f"A comparison needs the same number of artifacts on both sides, and was given "
            f"{len(first)} and {len(second)}."
        )
    runner, device = find_device(setting.device_id)
    cells: list[tuple[Cell, Cell]] = []
    left_out: list[str] = []
    for before, after in zip(first, second, strict=True):
        if not any(_offered(side, runner) for side in (before, after)):
            left_out.append(_not_measured(before, runner, ()))
            continue
        cells += [
            (
                _cell(device, before, runtime, threads, setting),
                _cell(device, after, runtime, threads, setting),
            )
            for runtime in _shared_runtimes(before, after, runner, setting)
            for threads in setting.threads
        ]
    if not cells:
        raise UserError(left_out[0])
    return PairPlan(tuple(cells), tuple(left_out))


def _cell(device: Device, artifact: Artifact, runtime: str, threads: int, setting: Setting) -> Cell:
    job = job_for(artifact, runtime, threads, setting)
    return Cell(device, artifact, job, wishes=setting.wishes)


def job_for(artifact: Artifact, runtime: str, threads: int, setting: Setting) -> Job:
    """Write the job of an artifact: what a runner or an app gets beside the model file."""
    manifest = artifact.manifest
    return Job(
        model_file=manifest.model_file,
        model_sha256=manifest.facts.sha256,
        format=manifest.recipe.format,
        delegate=manifest.recipe.delegate,
        inputs=manifest.inputs,
        runtime=runtime,
        compute_unit=setting.compute_unit,
        threads=threads,
        protocol=setting.protocol,
    )


def job_alone(artifact: Artifact, setting: Setting, limits: Limits) -> Job:
    """Write the job of an artifact for a device that may be elsewhere.

    Whether the device has the runtime and the compute unit, it says itself. Raises `UserError`
    where no runtime is named and none here takes the file.
    """
    offered = _offered(artifact, plugins.runner(setting.device_id))
    names = setting.runtimes or offered
    if not names:
        raise UserError(
            f"No runtime here takes {artifact.name}; name that of the device with --runtime."
        )
    return replace(job_for(artifact, names[0], setting.threads[0], setting), limits=limits)


def find_device(device_id: str) -> tuple[Runner, Device]:
    """Return a device and its runner.

    Raises `UserError` where the device cannot be reached now.
    """
    runner = plugins.runner(device_id)
    if isinstance(runner, Reaching) and ":" in device_id:
        return runner, runner.reach(device_id)
    devices = {device.id: device for device in runner.devices()}
    if device_id not in devices:
        raise UserError(
            f"There is no device {device_id!r}; devices of that kind now: "
            f"{', '.join(devices) or 'none'}."
        )
    return runner, devices[device_id]


def _runtimes(artifact: Artifact, runner: Runner, wanted: Sequence[str]) -> Sequence[str]:
    """Pick the wanted runtimes that take an artifact's format; by default the usual one."""
    offered = _offered(artifact, runner)
    return [name for name in wanted if name in offered] if wanted else offered[:1]


def _offered(artifact: Artifact, runner: Runner) -> tuple[str, ...]:
    recipe = artifact.manifest.recipe
    return runner.runtimes(recipe.format, recipe.delegate)


def _not_measured(artifact: Artifact, runner: Runner, wanted: Sequence[str]) -> str:
    offered = ", ".join(_offered(artifact, runner))
    return (
        f"{artifact.name} cannot be measured on {runner.scheme}"
        f"{' with ' + ', '.join(wanted) if wanted else ''}; runtimes for such files here: "
        f"{offered or 'none'}."
    )


def _shared_runtimes(
    before: Artifact, after: Artifact, runner: Runner, setting: Setting
) -> Sequence[str]:
    """Pick the runtimes of the setting that take both artifacts."""
    offered = [_offered(side, runner) for side in (before, after)]
    shared = [name for name in offered[0] if name in offered[1]]
    wanted = [name for name in setting.runtimes if name in shared]
    if not shared or (setting.runtimes and not wanted):
        raise UserError(
            f"No runtime{' of those asked for' * bool(setting.runtimes)} runs both "
            f"{before.name} and {after.name} on {setting.device_id}."
        )
    return wanted or shared[:1]
