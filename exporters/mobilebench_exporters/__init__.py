"""Exporters, one module per format; each has a `PLUGIN` that follows `interfaces.Exporter`."""
