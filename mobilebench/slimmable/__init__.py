"""Cut networks to a width: the leading channels of one set of shared weights."""
