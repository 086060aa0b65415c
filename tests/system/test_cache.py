"""What the cache keeps, evicts and counts."""

from eutectic.system.cache import Cache


def test_the_least_recently_used_is_evicted() -> None:
    cache: Cache[str, int] = Cache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert (len(cache), cache.size, cache.evicted) == (2, 2, 1)


def test_sizes_stay_within_the_limit_and_a_replaced_value_counts_once() -> None:
    cache: Cache[str, str] = Cache(10)
    cache.put("a", "old", 6)
    cache.put("a", "new", 4)
    cache.put("b", "other", 6)
    assert (cache.get("a"), cache.get("b"), cache.size, cache.evicted) == ("new", "other", 10, 0)
    cache.put("c", "too large", 11)
    assert (len(cache), cache.size, cache.evicted) == (0, 0, 3)


def test_clearing_evicts_everything() -> None:
    cache: Cache[int, int] = Cache(3)
    for number in range(3):
        cache.put(number, number)
    cache.clear()
    assert (len(cache), cache.size, cache.evicted) == (0, 0, 3)
