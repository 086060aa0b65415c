"""Where boxes go: in rows, so that every cord runs down, with as few crossings as are found.

The usual four steps for layered graphs (Sugiyama, Tagawa and Toda, 1981): rows by longest path, a
place kept in each row that a cord passes, the order in a row by the neighbours' middle, and then
the x that straightens most cords while that order and the gaps are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

PORT = 9.5
"""From a box's edge to the middle of its first inlet or outlet."""

GAP, ROW_GAP, LANE = 20.0, 20.0, 6.0
"""Between boxes, between rows, and the width kept for a cord that passes a row."""

SWEEPS = 24


@dataclass(eq=False)
class Node:
    """A box, or the lane of a cord (`cord` says of which).

    `width` is its place's, `body` the box's own; `row` may be given: the least, or -1 for the last.
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
        """How far right of the box's edge an inlet or outlet is."""
        if self.is_lane:
            return LANE / 2
        return PORT + (index * (self.body - 2 * PORT) / (count - 1) if count > 1 else 0.0)


@dataclass(eq=False)
class Cord:
    """From an outlet to an inlet; `bends` are the points between, once laid out."""

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
    """Set x and y of nodes, and the bends of cords; returns width and height.

    Raises:
        ValueError: cords go round in a circle.
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
        way = [cord.source, *lanes, cord.target]
        for at in range(len(way) - 1):
            outlet = cord.outlet if at == 0 else 0
            inlet = cord.inlet if at == len(way) - 2 else 0
            pieces.append(Cord(way[at], outlet, way[at + 1], inlet))
        paths.append((cord, lanes))
    rows = _ordered(rows, pieces, pinned)
    _place(rows, pieces)
    tops = _stack(rows)
    for cord, lanes in paths:
        _bend(cord, lanes, tops, rank)
    width = max((node.x + node.width for row in rows for node in row), default=0.0)
    return width, tops[-1][1]


def _ranks(nodes: Sequence[Node], cords: Sequence[Cord]) -> dict[Node, int]:
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
        raise ValueError("cords go round in a circle")
    last = max(rank.values(), default=0)
    entered = {cord.target for cord in cords}
    for node in nodes:
        below = [rank[cord.target] for cord in cords if cord.source is node]
        if node.row == -1:
            rank[node] = last
        elif node.row is None and node not in entered and below:
            rank[node] = min(below) - 1
    used = sorted(set(rank.values()))  # a row from which all went down is none
    return {node: used.index(rank[node]) for node in nodes}


def _middle(
    node: Node, pieces: Iterable[Cord], order: dict[Node, int], upwards: bool
) -> float | None:
    """Where its neighbours in the row above or below are, in the middle."""
    found = [
        order[cord.target] + cord.end / max(cord.target.width, 1)
        if upwards
        else order[cord.source] + cord.start / max(cord.source.width, 1)
        for cord in pieces
    ]
    return sum(found) / len(found) if found else None


def _ordered(rows: list[list[Node]], pieces: Sequence[Cord], pinned: set[int]) -> list[list[Node]]:
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
                middle = _middle(node, links.get(node, ()), order, upwards)
                keys[node] = order[node] if middle is None else middle
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
    """Exchange neighbours as long as cords cross less for it."""
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
    """Between each of these rows and the one after it."""
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
    """Set x: neighbours' ports above one another as far as order and gaps allow."""
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
            wanted: list[float] = []
            weights: list[float] = []
            for node in row:
                near = links.get(node, [])
                total = sum(weight for _, _, weight in near)
                pulled = sum(weight * (other.x + shift) for other, shift, weight in near)
                wanted.append(pulled / total if total else node.x)
                weights.append(total or 0.01)
            for node, x in zip(row, _spaced(row, wanted, weights), strict=True):
                node.x = x
    left = min((node.x for row in rows for node in row), default=0.0)
    for row in rows:
        for node in row:
            node.x = round(node.x - left, 1)


def _spaced(row: Sequence[Node], wanted: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The places nearest to those wanted that keep the order and the gaps (pooled violators)."""
    offsets = [0.0]
    for node in row[:-1]:
        offsets.append(offsets[-1] + node.width + GAP)
    pools: list[tuple[float, float, int]] = []
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pool = (want - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, many = pools.pop()
            both = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / both, both, many + pool[2])
        pools.append(pool)
    flat = [mean for mean, _, many in pools for _ in range(many)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _stack(rows: Sequence[Sequence[Node]]) -> list[tuple[float, float]]:
    """Set y; returns top and bottom of each row."""
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
    """Points that keep a long cord in its lanes, and beside taller boxes of its row."""
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
