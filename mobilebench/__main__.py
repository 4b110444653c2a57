"""`python -m mobilebench`."""

from mobilebench.cli import main

main()
