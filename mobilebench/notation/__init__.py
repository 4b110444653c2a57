"""How quantities are written with their unit, and foreign text in each kind of output."""
