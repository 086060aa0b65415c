"""A plan's order, its keys and batches, and what it holds of each item."""

import itertools
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eutectic.config import Place
from eutectic.errors import BadInput, BadInputs, BadSetting
from eutectic.rendering.plan import MOST_ITEMS, Plan
from eutectic.rendering.planning import reasons
from plans import plan, sounds, wish


def keys(planned: Plan) -> list[str]:
    return [item.key for item in planned.items()]


def names(planned: Plan) -> list[str]:
    return [item.name for item in planned.items()]


@pytest.fixture
def here(tmp_path: Path) -> tuple[list[str], list[str]]:
    """Three originals, of which the first is the longest, and two references."""
    originals = [*sounds(tmp_path / "a", "one", seconds=0.3), *sounds(tmp_path / "a", "two", "six")]
    return originals, sounds(tmp_path / "b", "bell", "hinge")


def test_items_go_by_original_reference_preset_recall_seed_and_blend(here: Any) -> None:
    originals, references = here
    asked = wish(
        originals, references, presets=("rust", "glaze"), recalls=(1.0, 0.5), seeds=(2, 1),
        blends=(0.7, 0.3),
    )  # fmt: skip
    made = plan(asked)
    assert names(made) == [
        f"{original}+{reference}-{preset}-{blend}-c{recall}-s{seed}.wav"
        for original, reference, preset, recall, seed, blend in itertools.product(
            ("one", "two", "six"), ("bell", "hinge"), ("rust", "glaze"), ("050", "100"), (1, 2),
            ("030", "070"),
        )
    ]  # fmt: skip
    assert len(set(keys(made))) == made.gathered.count == 3 * 2 * 2 * 2 * 2 * 2


def test_a_key_is_the_same_whatever_else_is_rendered(here: Any) -> None:
    originals, references = here
    some = keys(plan(wish(originals[1:], references[:1], blends=(0.3,), seeds=(1,))))
    more = plan(wish(originals, references, blends=(0.1, 0.3), seeds=(0, 1)))
    assert set(some) < set(keys(more))


def test_a_key_depends_on_all_that_makes_the_sound_and_its_file(here: Any) -> None:
    (one, two, _), (bell, _) = here
    base: dict[str, Any] = {"blends": (0.5,), "seeds": (1,)}
    first = wish([one], [bell], **base)
    (same,) = keys(plan(first))
    assert keys(plan(first)) == [same]
    others = [
        plan(wish([two], [bell], **base)),
        plan(wish([one], [two], **base)),
        plan(wish([one], [bell], **(base | {"blends": (0.6,)}))),
        plan(wish([one], [bell], **(base | {"seeds": (2,)}))),
        plan(wish([one], [bell], recalls=(0.5,), **base)),
        plan(wish([one], [bell], options={"cfg": 3.0}, **base)),
        plan(wish([one], [bell], options={"level": "raw"}, **base)),
        plan(wish([one], [bell], prompt="rust", **base)),
        plan(wish([one], [bell], original_duration=0.1, **base)),
        plan(first, suffix=".flac"),
        plan(first, name="{original}"),
        plan(first, learning=True),
        replace(plan(first), model=replace(plan(first).model, identity="another")),
    ]
    assert len({same, *(key for each in others for key in keys(each))}) == 1 + len(others)


def test_learning_changes_no_key_of_what_is_remembered_alone(here: Any) -> None:
    (one, *_), (bell, _) = here
    asked = wish([one], [bell], recalls=(1.0,))
    assert keys(plan(asked)) == keys(plan(asked, learning=True))
    assert plan(asked, learning=True).wanted() == []
    heard = wish([one], [bell], recalls=(0.5, 1.0))
    (reference,) = plan(heard, learning=True).wanted()
    assert reference.learning is not None and reference.sampling is not None
    assert reference.sampling.recall == 0.5


def test_batches_share_a_reference_and_a_sampling_and_go_by_length(here: Any) -> None:
    originals, references = here
    made = plan(wish(originals, references, seeds=(1, 2), blends=(0.3, 0.7)))
    batches = list(made.batches(pieces=2))
    assert [batch.number for batch in batches] == list(range(8))
    assert [(Path(batch.reference.source.path).stem, batch.sampling.seed) for batch in batches] == [
        (reference, seed) for reference in ("bell", "hinge") for seed in (1, 1, 2, 2)
    ]
    first, second = batches[:2]
    assert [Path(each.original.path).stem for each in first.pieces] == ["two", "six"]
    assert [Path(each.original.path).stem for each in second.pieces] == ["one"]
    assert [item.place for item in first.pieces[0].items] == [Place(0.3), Place(0.7)]
    assert batches[0].reference == batches[2].reference  # whatever the seed
    given = [item.key for batch in batches for piece in batch.pieces for item in piece.items]
    assert sorted(given) == sorted(keys(made))


def test_what_is_done_is_left_out_and_moves_nothing_else(here: Any) -> None:
    originals, references = here
    made = plan(wish(originals, references, blends=(0.3, 0.7)))
    whole = {batch.number: batch for batch in made.batches(pieces=2)}
    gone = next(iter(whole.values()))
    one, other = (item.key for item in gone.pieces[0].items)
    left = {each.number: each for each in made.batches(2, lambda item: item.key == one)}
    assert left.keys() == whole.keys()
    assert [item.key for item in left[0].pieces[0].items] == [other]
    assert left[0].pieces[1:] == gone.pieces[1:]
    assert list(made.batches(2, lambda _: True)) == []
    survey = made.survey(lambda item: item.key == one, lambda item: item.key == other)
    assert (survey.count, survey.done, survey.taken, survey.missing) == (12, 1, 1, 10)


def test_a_batch_is_never_too_much_to_lose(here: Any) -> None:
    originals, references = here
    made = plan(wish(originals, references, blends=tuple(n / 100 for n in range(0, 100))))
    assert all(
        sum(len(piece.items) for piece in batch.pieces) <= MOST_ITEMS for batch in made.batches()
    )


def test_a_sound_that_cant_be_used_is_planned_and_never_handed_out(
    here: Any, tmp_path: Path
) -> None:
    originals, references = here
    bad = tmp_path / "a" / "bad.wav"
    bad.write_text("no sound")
    made = plan(wish([*originals, str(bad)], references, blends=(0.3, 0.7)))
    assert reasons(made) == [made.heard[3].reason]
    assert "can't be read as audio" in made.heard[3].reason
    survey = made.survey()
    assert (survey.count, survey.unusable, survey.missing) == (16, 4, 12)
    given = {Path(each.original.path).stem for batch in made.batches() for each in batch.pieces}
    assert given == {"one", "two", "six"}
    named = [item.name for batch, _ in made.unusable() for item in batch.pieces[0].items]
    assert sorted(named) == sorted(name for name in names(made) if name.startswith("bad+"))


def test_nothing_that_is_there_is_an_end_and_a_missing_file_in_a_list_isnt(
    here: Any, tmp_path: Path
) -> None:
    originals, references = here
    gone = str(tmp_path / "a" / "tow.wav")
    with pytest.raises(BadInputs, match=r"tow.wav: no such file; did you mean two.wav"):
        plan(wish([*originals, gone], references))
    made = plan(wish([*originals, gone], references, where="list.csv:2"))
    assert len(reasons(made)) == 1
    with pytest.raises(BadInputs, match="no such file"):
        plan(wish([gone], references, where="list.csv:2"))


def test_folders_and_patterns_are_searched_but_for_hidden_files_and_the_output(
    tmp_path: Path,
) -> None:
    paths = sounds(tmp_path, "in/a", "in/deep/b", "in/.hidden/c", "in/out/d", "bell")
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    from eutectic.rendering import models
    from eutectic.rendering.planning import planned

    def found(*texts: str) -> list[str]:
        asked = wish(texts, paths[-1:])
        toy = models.asked("toy", download=False)
        made = planned(iter([asked]), toy, ".wav", without=tmp_path / "in" / "out")
        return [Path(made.gathered.sections[n].path).stem for n in made.gathered.originals]

    assert found(str(tmp_path / "in")) == ["a", "b"]
    assert found(str(tmp_path / "in" / "**" / "*.wav")) == ["a", "b"]
    assert found(str(tmp_path / "in"), paths[0]) == ["a", "b"]
    with pytest.raises(BadInput, match="matches no file"):
        found(str(tmp_path / "in" / "*.aiff"))
    with pytest.raises(BadInput, match="where the renders go"):
        found(str(tmp_path / "in" / "out"))
    (tmp_path / "in" / "deep" / ".eutectic").mkdir()  # of another run
    assert found(str(tmp_path / "in")) == ["a"]
    assert found(str(tmp_path / "in" / "deep")) == ["b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="has no sound files"):
        found(str(tmp_path / "empty"))


def test_two_sounds_of_one_name_are_refused_before_any_work(here: Any) -> None:
    originals, references = here
    with pytest.raises(BadSetting, match=r"needs \{seed\}"):
        plan(wish(originals, references, seeds=(1, 2)), name="{original}+{reference}")
    close = plan(wish(originals, references, blends=(0.301, 0.302)))
    with pytest.raises(BadSetting, match=r"two sounds would be called one\+bell-030-s0.wav"):
        close.survey()
    fine = plan(
        wish(originals, references, blends=(0.301, 0.302)),
        name="{original}+{reference}-{blend:.3f}",
    )
    assert fine.survey().count == 12
    twice = plan(
        wish(originals, references, blends=(0.3, 0.5)), wish(originals, references, blends=(0.5,))
    )
    with pytest.raises(BadSetting, match="or the same is wanted twice"):
        twice.survey()


def test_a_plan_holds_a_few_bytes_of_each_item(here: Any) -> None:
    originals, references = here
    made = plan(wish(originals, references, seeds=tuple(range(400)), blends=(0.2, 0.4, 0.6, 0.8)))
    assert made.gathered.count == 9_600

    def walk() -> None:
        assert made.survey().count == 9_600
        assert sum(len(piece.items) for batch in made.batches() for piece in batch.pieces) == 9_600

    walk()  # what is cached, is
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        walk()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 24 * 9_600


def test_rows_that_differ_in_their_original_are_one_block(here: Any) -> None:
    originals, references = here
    made = plan(
        *(wish([each], references, where=f"list.csv:{n}") for n, each in enumerate(originals))
    )
    assert len(made.gathered.blocks) == 1
    assert keys(made) == keys(plan(wish(originals, references)))
