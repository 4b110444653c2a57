"""Runners, one module per kind of device; each has a `PLUGIN` for `interfaces.Runner`."""
