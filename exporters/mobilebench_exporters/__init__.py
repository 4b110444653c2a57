"""Exporters: one module per format, each with a `PLUGIN` that follows `interfaces.Exporter`."""
