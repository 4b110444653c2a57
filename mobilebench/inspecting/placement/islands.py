"""Islands: the parts that a partitioner makes of the operations that it can take."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from mobilebench.values.graph import Operation


def islands(operations: Sequence[Operation], taken: Sequence[bool]) -> int:
    """Number of parts handed over when everything that can run runs before the unit changes.

    That is how TensorFlow Lite forms partitions (`PartitionGraphIntoIndependentNodeSubsets` in
    tensorflow/lite/graph_info.cc): operations of one kind are collected as long as any has all
    its inputs, then those of the other kind. Branches that run side by side are one part.
    """
    maker = {
        result.name: index
        for index, operation in enumerate(operations)
        for result in operation.outputs
    }
    users: defaultdict[int, list[int]] = defaultdict(list)
    missing = [0] * len(operations)
    for index, operation in enumerate(operations):
        before = {maker[tensor.name] for tensor in operation.inputs if tensor.name in maker}
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
