"""Places boxes in rows so that every cord runs down, with few crossings.

The usual four steps for layered graphs (Sugiyama, Tagawa and Toda, 1981): rows by longest path, a
lane in each row that a cord passes, the order in a row by the barycentre of the neighbours, then
the x that straightens the cords as much as that order and the gaps allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

PORT = 9.5
"""From a box's edge to the centre of its first inlet or outlet."""

GAP, ROW_GAP, LANE = 20.0, 20.0, 6.0
"""Between boxes, between rows, and the width of the lane for a cord that passes a row."""

SWEEPS = 24


@dataclass(eq=False)
class Node:
    """A box, or a cord's lane through a row.

    `body` is the width of the box itself, `width` that of the space it takes; `row` sets the first
    row allowed, or -1 for the last row.
    """

    width: float
    height: float
    body: float
    inlets: int = 1
    outlets: int = 1
    row: int | None = None
    is_lane: bool = False
    x: float = 0.0
    y: float = 0.0

    def port(self, index: int, count: int) -> float:
        """Distance of an inlet or outlet from the box's left edge."""
        if self.is_lane:
            return LANE / 2
        return PORT + (index * (self.body - 2 * PORT) / (count - 1) if count > 1 else 0.0)


@dataclass(eq=False)
class Cord:
    """From an outlet to an inlet; `bends` are the points between, set by `lay_out`."""

    source: Node
    outlet: int
    target: Node
    inlet: int
    bends: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    @property
    def start(self) -> float:
        return self.source.port(self.outlet, self.source.outlets)

    @property
    def end(self) -> float:
        return self.target.port(self.inlet, self.target.inlets)


def lay_out(nodes: Sequence[Node], cords: Sequence[Cord]) -> tuple[float, float]:
    """Set the x and y of nodes and the bends of cords; return width and height.

    Raises:
        ValueError: the cords form a cycle.
    """
    rank = _ranks(nodes, cords)
    rows: list[list[Node]] = [[] for _ in range(max(rank.values(), default=0) + 1)]
    for node in nodes:
        rows[rank[node]].append(node)
    pinned = {id(node) for node in nodes if node.row in (0, -1)}
    pieces: list[Cord] = []
    paths: list[tuple[Cord, list[Node]]] = []
    for cord in cords:
        lanes = [
            Node(LANE, 0, LANE, is_lane=True)
            for _ in range(rank[cord.source] + 1, rank[cord.target])
        ]
        for at, lane in enumerate(lanes, rank[cord.source] + 1):
            rows[at].append(lane)
        path = [cord.source, *lanes, cord.target]
        for at in range(len(path) - 1):
            outlet = cord.outlet if at == 0 else 0
            inlet = cord.inlet if at == len(path) - 2 else 0
            pieces.append(Cord(path[at], outlet, path[at + 1], inlet))
        paths.append((cord, lanes))
    rows = _ordered(rows, pieces, pinned)
    _place(rows, pieces)
    tops = _stack(rows)
    for cord, lanes in paths:
        _bend(cord, lanes, tops, rank)
    width = max((node.x + node.width for row in rows for node in row), default=0.0)
    return width, tops[-1][1]


def _ranks(nodes: Sequence[Node], cords: Sequence[Cord]) -> dict[Node, int]:
    """The row of each node."""
    rank = {node: max(node.row or 0, 0) for node in nodes}
    for _ in range(len(nodes) + 1):
        changed = False
        for cord in cords:
            if rank[cord.target] <= rank[cord.source]:
                rank[cord.target] = rank[cord.source] + 1
                changed = True
        if not changed:
            break
    else:
        raise ValueError("the cords form a cycle")
    last = max(rank.values(), default=0)
    entered = {cord.target for cord in cords}
    for node in nodes:
        below = [rank[cord.target] for cord in cords if cord.source is node]
        if node.row == -1:
            rank[node] = last
        elif node.row is None and node not in entered and below:
            rank[node] = min(below) - 1
    used = sorted(set(rank.values()))  # rows that were emptied by moving nodes down are dropped
    return {node: used.index(rank[node]) for node in nodes}


def _barycentre(pieces: Iterable[Cord], order: dict[Node, int], upwards: bool) -> float | None:
    """Mean position of a node's neighbours, below it if `upwards`; None if it has none there."""
    positions = [
        order[cord.target] + cord.end / max(cord.target.width, 1)
        if upwards
        else order[cord.source] + cord.start / max(cord.source.width, 1)
        for cord in pieces
    ]
    return sum(positions) / len(positions) if positions else None


def _ordered(rows: list[list[Node]], pieces: Sequence[Cord], pinned: set[int]) -> list[list[Node]]:
    """The rows, each sorted for the fewest crossings; pinned nodes keep their order."""
    above: dict[Node, list[Cord]] = {}
    below: dict[Node, list[Cord]] = {}
    for cord in pieces:
        above.setdefault(cord.target, []).append(cord)
        below.setdefault(cord.source, []).append(cord)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(SWEEPS):
        upwards = sweep % 2 == 0
        for row in reversed(rows) if upwards else rows:
            order = {node: at for each in rows for at, node in enumerate(each)}
            links = below if upwards else above
            fixed = [node for node in row if id(node) in pinned]
            keys: dict[Node, float] = {}
            for node in row:
                mean = _barycentre(links.get(node, ()), order, upwards)
                keys[node] = order[node] if mean is None else mean
            row.sort(key=lambda node: (keys[node], order[node]))
            slots = [at for at, node in enumerate(row) if id(node) in pinned]
            for at, node in zip(slots, fixed, strict=True):
                row[at] = node
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    _swap(best, below, pinned)
    return best


def _swap(rows: Sequence[list[Node]], below: dict[Node, list[Cord]], pinned: set[int]) -> None:
    """Swap neighbours in a row as long as that removes crossings."""
    better = True
    while better:
        better = False
        for at, row in enumerate(rows):
            near = rows[max(at - 1, 0) : at + 2]
            fewest = _crossings(near, below)
            for left in range(len(row) - 1):
                if fewest == 0 or (id(row[left]) in pinned and id(row[left + 1]) in pinned):
                    continue
                row[left], row[left + 1] = row[left + 1], row[left]
                crossings = _crossings(near, below)
                if crossings < fewest:
                    fewest, better = crossings, True
                else:
                    row[left], row[left + 1] = row[left + 1], row[left]


def _crossings(rows: Sequence[Sequence[Node]], below: dict[Node, list[Cord]]) -> int:
    """Number of crossings between successive rows."""
    count = 0
    for upper, lower in pairwise(rows):
        order = {node: at for at, node in enumerate(lower)}
        ends = [
            (at, cord.start, order[cord.target], cord.end)
            for at, node in enumerate(upper)
            for cord in below.get(node, ())
        ]
        ends.sort()
        for at, one in enumerate(ends):
            count += sum(one[:2] < other[:2] and one[2:] > other[2:] for other in ends[at + 1 :])
    return count


def _place(rows: Sequence[Sequence[Node]], pieces: Sequence[Cord]) -> None:
    """Set x so that connected ports line up as well as the order and the gaps allow."""
    links: dict[Node, list[tuple[Node, float, float]]] = {}
    for cord in pieces:
        weight = (1.0, 2.0, 16.0)[cord.source.is_lane + cord.target.is_lane]
        shift = cord.start - cord.end
        links.setdefault(cord.target, []).append((cord.source, shift, weight))
        links.setdefault(cord.source, []).append((cord.target, -shift, weight))
    for row in rows:
        x = 0.0
        for node in row:
            node.x, x = x, x + node.width + GAP
    for sweep in range(8 * SWEEPS):
        for row in rows if sweep % 2 else reversed(rows):
            targets: list[float] = []
            weights: list[float] = []
            for node in row:
                near = links.get(node, [])
                total = sum(weight for _, _, weight in near)
                pulled = sum(weight * (other.x + shift) for other, shift, weight in near)
                targets.append(pulled / total if total else node.x)
                weights.append(total or 0.01)
            for node, x in zip(row, _spaced(row, targets, weights), strict=True):
                node.x = x
    left = min((node.x for row in rows for node in row), default=0.0)
    for row in rows:
        for node in row:
            node.x = round(node.x - left, 1)


def _spaced(row: Sequence[Node], targets: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The x nearest to the targets that keep the order and the gaps (pool adjacent violators)."""
    offsets = [0.0]
    for node in row[:-1]:
        offsets.append(offsets[-1] + node.width + GAP)
    pools: list[tuple[float, float, int]] = []
    for target, weight, offset in zip(targets, weights, offsets, strict=True):
        pool = (target - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, pooled, count = pools.pop()
            total = pooled + pool[1]
            pool = ((mean * pooled + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    flat = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _stack(rows: Sequence[Sequence[Node]]) -> list[tuple[float, float]]:
    """Set y; return top and bottom of each row."""
    tops: list[tuple[float, float]] = []
    y = 0.0
    for row in rows:
        height = max((node.height for node in row), default=0.0)
        for node in row:
            node.y = y
        tops.append((y, y + height))
        y += height + ROW_GAP
    return tops


def _bend(
    cord: Cord, lanes: Sequence[Node], tops: Sequence[tuple[float, float]], rank: dict[Node, int]
) -> None:
    """Bend a cord so that it stays in its lanes and clear of taller boxes in its row."""
    first = cord.source.x + cord.start
    points = [(first, tops[rank[cord.source]][1])]
    for at, lane in enumerate(lanes, rank[cord.source] + 1):
        points += [(lane.x + LANE / 2, tops[at][0]), (lane.x + LANE / 2, tops[at][1])]
    last = cord.target.x + cord.end
    if all(abs(x - first) < 1.5 for x, _ in points) and abs(last - first) < 1.5:
        return
    if not lanes and cord.source.height >= tops[rank[cord.source]][1] - tops[rank[cord.source]][0]:
        return
    cord.bends = [(round(x, 1), round(y, 1)) for x, y in points]
