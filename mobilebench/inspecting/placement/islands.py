"""Count islands: the parts that a partitioner makes of the operations it can take."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from mobilebench.values.graph import Operation


def islands(operations: Sequence[Operation], taken: Sequence[bool]) -> int:
    """Count the parts handed over if all ready operations run before the unit changes.

    TensorFlow Lite forms partitions in this way (`PartitionGraphIntoIndependentNodeSubsets` in
    tensorflow/lite/graph_info.cc): it collects operations of one kind while any of them has all its
    inputs, then those of the other kind. Branches that run side by side are one part.
    """
    producers = {
        result.name: index
        for index, operation in enumerate(operations)
        for result in operation.outputs
    }
    users: defaultdict[int, list[int]] = defaultdict(list)
    missing = [0] * len(operations)
    for index, operation in enumerate(operations):
        before = {producers[tensor.name] for tensor in operation.inputs if tensor.name in producers}
        missing[index] = len(before - {index})
        for other in before - {index}:
            users[other].append(index)
    ready: dict[bool, deque[int]] = {True: deque(), False: deque()}
    for index, count in enumerate(missing):
        if not count:
            ready[taken[index]].append(index)
    first = ready[True] and (not ready[False] or ready[True][0] < ready[False][0])
    current, parts = bool(first), 0
    while ready[True] or ready[False]:
        parts += current and bool(ready[True])
        while ready[current]:
            for user in users[ready[current].popleft()]:
                missing[user] -= 1
                if not missing[user]:
                    ready[taken[user]].append(user)
        current = not current
    return parts
