"""Choose the devices of a measurement: by id, by pattern, or all that are attached.

A text is words with commas between them. A word is `all`, a pattern such as `model=Pixel*`, or an
id; of an id the scheme, the rest, or the beginning is enough where only one device has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from mobilebench import plugins
from mobilebench.errors import MissingToolkit, UnknownName, UserError
from mobilebench.values.attached import Attached
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.obstacles import Obstacle

ALL = "all"


class Key(StrEnum):
    """What a pattern is compared with."""

    MODEL = "model"
    KIND = "kind"
    SOC = "soc"
    SCHEME = "scheme"


@dataclass(frozen=True)
class Offer:
    """A device that is there, and why nothing can be measured on it now."""

    device: Device
    names: tuple[str, ...]
    """Its model, and the name under which it is sold."""
    why_not: tuple[str, ...] = ()
    """Sentences; empty for a device that can be used."""
    passes: bool = True
    """Whether waiting mends all of `why_not`: it cools down, or is charged."""
    claim: str = ""
    """The same for one device that is listed by two connections."""

    @property
    def scheme(self) -> str:
        return self.device.id.partition(":")[0]

    @property
    def usable(self) -> bool:
        """Whether a batch may begin with it: now, or after a wait."""
        return self.passes or not self.why_not

    @property
    def reason(self) -> str:
        """What stands in the way, and what to do, in a sentence."""
        return f"{self.device.id} cannot be used now: {' '.join(self.why_not)}"


@dataclass(frozen=True)
class Choice:
    """The devices that a text chooses, and those that it would choose if they could be used."""

    devices: tuple[Device, ...]
    left_out: tuple[str, ...] = ()
    """A sentence for each."""


def is_several(text: str) -> bool:
    """Return whether a text may choose other than the one device that it names."""
    return text == ALL or "," in text or _pattern(text) is not None


def choose(text: str, read: Callable[[str | None], Sequence[Offer]] | None = None) -> Choice:
    """Return the devices that a text names, each once, in the order of the text.

    `read` gives the devices of a scheme, or all; by default those of this computer. Whatever cannot
    be used is left out where `all` or a pattern chose it. Raises `UserError` where an id named it,
    for an id that is not there or that several devices share, for a pattern that nothing fits, and
    where nothing is left.
    """
    read = read or offers
    chosen: dict[str, Device] = {}
    left_out: dict[str, None] = {}
    claims: dict[str, str] = {}
    for word in _words(text):
        named = _pattern(word) is None and word != ALL
        for offer in _chosen(word, read):
            id_ = offer.device.id
            other = claims.setdefault(offer.claim or id_, id_)
            if not offer.usable:
                if named:
                    raise UserError(offer.reason)
                left_out[offer.reason] = None
            elif other == id_:
                chosen[id_] = offer.device
            elif named:
                raise UserError(f"{other} and {id_} are the same device; name one of them.")
    if not chosen:
        raise UserError(f"None of the devices of --device {text} can be used. {' '.join(left_out)}")
    return Choice(tuple(chosen.values()), tuple(left_out))


def fitting(
    text: str, read: Callable[[str | None], Sequence[Offer]] | None = None
) -> tuple[Offer, ...]:
    """Return what a text names, each device once, also where it cannot be used now.

    Raises as `choose` does for what is not there.
    """
    read = read or offers
    by_claim: dict[str, Offer] = {}
    for word in _words(text):
        for offer in _chosen(word, read):
            by_claim.setdefault(offer.claim or offer.device.id, offer)
    return tuple(by_claim.values())


def offers(scheme: str | None = None) -> tuple[Offer, ...]:
    """Return the devices of this computer, or of one scheme: those too that cannot be used.

    An id in place of a scheme gives that device, also where it is in no list: a board that the user
    has not named. Without a scheme, kinds of device are passed over whose tools are not installed.
    Raises `UnknownName` for a scheme that does not exist.
    """
    if scheme is not None and ":" in scheme:
        return tuple(_offer(each) for each in plugins.runner(scheme).attached(scheme))
    if scheme is not None:
        return tuple(_offers(scheme))
    every: list[Offer] = []
    for name in plugins.runner_names():
        with suppress(MissingToolkit):
            every += _offers(name)
    return tuple(every)


def obstacles(device_id: str) -> tuple[str, ...]:
    """Say why nothing can be measured on one device now; empty where it can."""
    for attached in plugins.runner(device_id).attached(device_id):
        return _why_not(attached)
    return ("It is not there any more: check its cable, its power and its network.",)


def _offers(scheme: str) -> Iterator[Offer]:
    runner = plugins.runner(scheme)
    described = {device.id: device for device in runner.devices()}
    for attached in runner.attached():
        yield _offer(attached, described.get(attached.id))


def _offer(attached: Attached, device: Device | None = None) -> Offer:
    device = device or replace(attached.device, id=attached.id)
    names = dict.fromkeys(filter(None, (device.model, attached.model, attached.marketing)))
    return Offer(
        device=device,
        names=tuple(names),
        why_not=_why_not(attached),
        passes=all(each.passes for each in attached.why_not),
        claim=attached.claim if Obstacle.DUPLICATE not in attached.why_not else "",
    )


def _why_not(attached: Attached) -> tuple[str, ...]:
    return (
        *(each.sentence for each in attached.why_not),
        *(attached.mends * bool(attached.why_not)),
    )


def _words(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise UserError(
            f"--device was given as {text!r}; give {ALL}, ids or patterns such as "
            f"'model=Pixel*', with a comma between two."
        )
    return words


def _pattern(word: str) -> tuple[Key, str] | None:
    """Read a word such as `model=Pixel*`; None for an id. Raises `UserError` for another key."""
    name, equals, pattern = word.partition("=")
    if not equals:
        return None
    if name not in list(Key):
        raise UnknownName.among("key of a device's pattern", name, Key)
    return Key(name), pattern


def _chosen(word: str, read: Callable[[str | None], Sequence[Offer]]) -> list[Offer]:
    pattern = _pattern(word)
    if word == ALL:
        fitting = [each for each in read(None) if _is_attached(each)]
        if not fitting:
            raise UserError(
                f"No phone and no board is attached, which --device {ALL} would choose; plug one "
                f"in, or name this computer with --device host."
            )
        return fitting
    if pattern is None:
        return [_named(word, read)]
    there = read(None)
    fitting = [each for each in there if _fits(each, *pattern)]
    if not fitting:
        raise UserError(f"No device fits --device {word}; there are: {_listed(there)}.")
    return fitting


def _is_attached(offer: Offer) -> bool:
    return offer.device.kind not in (DeviceKind.HOST, DeviceKind.SIMULATED)


def _fits(offer: Offer, key: Key, pattern: str) -> bool:
    """Return whether a device fits; of simulated ones only where kind or scheme asks for them."""
    device = offer.device
    texts: Iterable[str | None] = {
        Key.MODEL: offer.names,
        Key.KIND: (device.kind.value,),
        Key.SOC: (device.soc,),
        Key.SCHEME: (offer.scheme,),
    }[key]
    if device.kind is DeviceKind.SIMULATED and key in (Key.MODEL, Key.SOC):
        return False
    return any(fnmatchcase(text.lower(), pattern.lower()) for text in texts if text)


def _named(word: str, read: Callable[[str | None], Sequence[Offer]]) -> Offer:
    """Return the one device of an id, of its scheme, or of its beginning."""
    scheme = word.partition(":")[0]
    there = read(scheme if scheme in plugins.runner_names() else None)
    for offer in there:
        if offer.device.id == word:
            return offer
    fitting = [
        each
        for each in there
        if each.device.id.startswith(word) or each.device.id.partition(":")[2].startswith(word)
    ]
    if not fitting and scheme in plugins.runner_names() and ":" in word:
        # A board that its computer does not list, for one.
        fitting = [each for each in read(word) if each.device.id == word]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UserError(
            f"{len(fitting)} devices fit --device {word}: {_listed(fitting)}; name one of them, "
            f"or all of them with commas."
        )
    raise UnknownName.among("device", word, [each.device.id for each in there])


def _listed(offers: Sequence[Offer]) -> str:
    return ", ".join(f"{each.device.id} ({each.device.model})" for each in offers) or "none"
