"""Train a network for its widths, and choose widths from a table of latencies.

    images -> batches -> sandwich of widths -> loop -> shared network -> judging -> report

The sandwich and the distillation inside a step are those of US-Nets (Yu and Huang 2019,
arXiv:1903.05134, sections 3.2 and 3.4). To choose widths together with weights is the idea of
Joslim (Chin et al. 2021, arXiv:2007.11752); here they are chosen after the training.
"""
