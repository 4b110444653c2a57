"""`mobilebench agent`: take jobs from a server for the devices of this computer."""

from __future__ import annotations

import threading
import time
from typing import Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Server

_STAGE_S = 30.0
"""Least time between two lines about one job, its begin and its end apart."""


def command(
    device: Annotated[
        str,
        typer.Option(
            "--device",
            "-d",
            metavar="IDS",
            autocompletion=completions.several_devices,
            rich_help_panel=Panel.SETTING,
            help="Devices to serve: ids with commas, `all` for every phone and board, or a pattern "
            "such as 'model=Pixel*' (kind=, soc= and scheme= too).",
        ),
    ],
    server: Server = None,
) -> None:
    """Take jobs from a server for devices of this computer, do them, and send the records.

    It runs until Ctrl-C; then jobs in progress go back to the server. Phones and boards measure at
    the same time; this computer and simulated phones take turns. Devices that are plugged in later
    are served from then on. A device shows at the server under its model and a few digits, never
    under its serial number.
    """
    from mobilebench.measuring import devices
    from mobilebench.store import signing
    from mobilebench.submitting.address import Address
    from mobilebench.submitting.agent import Agent

    address = Address.chosen(server)
    agent = Agent(address, lambda: devices.fitting(device), signing.device_key(), Log())
    output.tell(f"takes jobs from {address}; Ctrl-C ends it")
    agent.run()


class Log:
    """An `Account` that prints a line for each thing that happens, with the time of day."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def say(self, device: str, sentence: str) -> None:
        """Print a line."""
        with self._lock:
            output.tell(f"{time.strftime('%H:%M:%S')} {device}: {sentence}")

    def progress(self, device: str) -> Stages:
        """Return what prints the stages of a job."""
        return Stages(self, device)


class Stages:
    """A `Progress` that prints a line now and then."""

    def __init__(self, log: Log, device: str) -> None:
        self._log = log
        self._device = device
        self._spoke = time.monotonic()

    def stage(self, name: str) -> None:
        now = time.monotonic()
        if now - self._spoke >= _STAGE_S:
            self._spoke = now
            self._log.say(self._device, name)

    def finished(self, outcome: str) -> None:
        """Print nothing: the agent says itself what came of a job."""
