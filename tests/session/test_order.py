"""Which of a fan's places are made first."""

from __future__ import annotations

from eutectic.session.grids import steady
from eutectic.session.order import GROUP, Order

MIDDLE = (0.5, 0.5)


def named(order: list[int], columns: int) -> list[tuple[int, int]]:
    """Column and row of each."""
    return [(k % columns, k // columns) for k in order]


def test_a_fan_of_one_axis_begins_at_its_ends_and_halves_its_gaps() -> None:
    order = Order(steady(9), [0.0]).sorted(range(9), (0.4, 0.0))
    assert set(order[:2]) == {0, 8} and order[2] == 4
    assert order[3:5] == [2, 6] and order[5] == 3


def test_a_grid_begins_at_its_corners_and_goes_on_from_the_hand() -> None:
    order = Order(steady(5), steady(3)).sorted(range(15), (0.9, 0.1))
    places = named(order, 5)
    assert places[0] == (4, 0)
    assert set(places[:4]) == {(0, 0), (4, 0), (0, 2), (4, 2)}
    assert set(places[4:9]) == {(2, 0), (2, 1), (2, 2), (0, 1), (4, 1)}
    assert places[9] == (3, 0)


def test_while_it_is_scrubbed_the_cell_around_the_hand_comes_first() -> None:
    order = Order(steady(5), steady(3)).sorted(range(15), (0.3, 0.7), is_near_first=True)
    assert set(named(order[:4], 5)) == {(1, 1), (2, 1), (1, 2), (2, 2)}


def test_what_is_made_at_once_shares_its_row_and_is_as_urgent() -> None:
    grid = Order(steady(5), steady(3))
    ordered = grid.sorted(range(15), MIDDLE)
    rest = list(ordered)
    while rest:
        group = grid.group(rest, MIDDLE)
        assert 1 <= len(group) <= GROUP and len({k // 5 for k in group}) == 1
        rest = [k for k in rest if k not in group]
    assert len(grid.group(ordered, MIDDLE)) == 2  # two corners, nothing finer
    line = Order(steady(9), [0.0])
    assert len(line.group(line.sorted(range(9), MIDDLE), MIDDLE)) == GROUP
