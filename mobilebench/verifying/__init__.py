"""Verify that a file still computes the network: parity, agreement, accuracy."""
