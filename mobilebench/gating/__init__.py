"""The gate for a change: export two commits, measure both in turns, judge.

    working tree ─ export ┐            ┌ same file: not measured
                          ├─ pair up ──┼ a pair: measured interleaved, judged by the rule
    baseline ─ worktree ─ export ┘     ├ without a baseline: measured once, a pass that says so
                                       └ candidate broken: the line of its code

`repository` finds commits and checks one out for a while, `exports` runs `mobilebench export` on a
side, `flow` is the way from there to a `Review`.
"""
