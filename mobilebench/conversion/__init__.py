"""The torch side of an export: load a network, check it, deploy it, convert it."""
