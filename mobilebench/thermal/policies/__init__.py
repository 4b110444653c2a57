"""Policies: each is one file with its parameters and its state machine.

To add one: write `policies/NAME.py` with `PARAMETERS` and a class that takes the widths, the aim
and the parameters and has `decide`; add it to `RULES` in `controllers.py`; give it vectors.
"""
