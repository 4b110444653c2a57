"""Whether a file still computes the network: parity, agreement, accuracy."""
