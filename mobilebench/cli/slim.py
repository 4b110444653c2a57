"""`mobilebench slim`: train a network for several widths, and choose among them."""

from __future__ import annotations

import typer

from mobilebench.cli import slim_recalibrate, slim_search, slim_train
from mobilebench.cli.grammar import Section, Verbs, add

app = typer.Typer(
    cls=Verbs,
    help="Train a network for several widths of one set of weights, and choose among them.",
    epilog="mobilebench slim train mobilevig_ti --data imagenet --width 0.5 --out run",
    no_args_is_help=True,
)
add(
    app,
    "train",
    slim_train.command,
    Section.FILES,
    "mobilebench slim train mobilevig_ti --data imagenet --width 0.75 --width 0.5 --out run",
)
add(
    app,
    "recalibrate",
    slim_recalibrate.command,
    Section.FILES,
    "mobilebench slim recalibrate mobilevig_ti -c run/shared.pt --data imagenet --width 0.6 "
    "--out run/shared.pt",
)
add(
    app,
    "search",
    slim_search.command,
    Section.FILES,
    "mobilebench slim search mobilevig_ti -c run/shared.pt --data imagenet --latencies "
    "store:model=mobilevig_ti --out widths.json",
)
