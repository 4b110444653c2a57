"""The matrix of an export: plan, cache, build and publish bundles. No torch."""
