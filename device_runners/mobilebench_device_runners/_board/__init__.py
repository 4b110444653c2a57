"""What runs on a board: the same engine as everywhere, in a place that knows a board."""
