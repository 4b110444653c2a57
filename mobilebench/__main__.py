"""The program: `mobilebench`, or `python -m mobilebench`."""

from __future__ import annotations


def main() -> None:
    """Run a command line, and exit."""
    try:
        from mobilebench import cli  # here, so that Ctrl-C may come while it is loaded

        cli.main()
    except KeyboardInterrupt:  # before a verb began; grammar.py hears those that come later
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
