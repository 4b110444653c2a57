"""Runners: one module per kind of device, each with a `PLUGIN` that follows `interfaces.Runner`."""
