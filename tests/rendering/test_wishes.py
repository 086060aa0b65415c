"""Lists of what is wanted, as people and their programs write them."""

from pathlib import Path

import pytest

from eutectic.errors import BadInput, BadInputs
from eutectic.rendering.wishes import Wish, axis, read_list

TOML = """\
format = 1

[[render]]
originals = ["a.wav", "more"]
reference = "b.wav"
blends = [0.3, 0.7]
seeds = "1-3"
preset = "rust"
cfg = 3

[[render]]
original = "c.wav"
references = ["d.wav"]
prompt = "rusty hinge"
remaining = 4
original_start = 0.5
"""

CSV = """\
original;reference;blend;seed;preset;cfg;prompt;remaining;original_start
a.wav;b.wav;0.3 0.7;1-3;rust;3;;;
c.wav;d.wav;;;;;rusty hinge;4;0.5
"""


def listed(path: Path, text: str, base: Wish | None = None) -> list[Wish]:
    path.write_text(text, encoding="utf-8")
    return list(read_list(path, Wish() if base is None else base))


def test_a_toml_list_and_a_csv_list_say_the_same(tmp_path: Path) -> None:
    of_toml = listed(tmp_path / "list.toml", TOML)
    of_csv = listed(tmp_path / "list.csv", "\ufeff" + CSV)
    first = of_toml[0]
    assert first.originals == (str(tmp_path / "a.wav"), str(tmp_path / "more"))
    assert first.references == (str(tmp_path / "b.wav"),)
    assert (first.blends, first.seeds, first.presets) == ((0.3, 0.7), (1, 2, 3), ("rust",))
    assert first.options == {"cfg": 3.0}
    assert first.where == f"{tmp_path / 'list.toml'}:3"
    second = of_toml[1]
    assert (second.prompt, second.original_start) == ("rusty hinge", 0.5)
    assert second.options == {"remaining": 4}
    fields = ("references", "blends", "seeds", "presets", "options", "prompt", "original_start")
    for one, other in zip(of_toml, of_csv, strict=True):
        assert [getattr(one, name) for name in fields] == [getattr(other, name) for name in fields]


def test_a_preset_of_several_words_is_one_where_a_list_has_it_alone(tmp_path: Path) -> None:
    text = "format = 1\n[[render]]\noriginal = 'a'\nreference = 'b'\npresets = ['my set', 'rust']"
    (wish,) = listed(tmp_path / "list.toml", text)
    assert wish.presets == ("my set", "rust")


def test_what_a_list_leaves_open_is_the_command_lines(tmp_path: Path) -> None:
    base = Wish(references=("/r.wav",), blends=(0.2,), options={"cfg": 2.0, "eta": 0.5})
    (wish,) = listed(tmp_path / "list.csv", "original,cfg\n/a.wav,5\n", base)
    assert wish.references == ("/r.wav",) and wish.blends == (0.2,)
    assert wish.options == {"cfg": 5.0, "eta": 0.5}


def test_a_manifest_is_a_list_whose_results_are_ignored(tmp_path: Path) -> None:
    text = "name,original,reference,blend,remaining,key,size\nx.wav,/a.wav,/b.wav,0.4,10,00,9\n"
    (wish,) = listed(tmp_path / "manifest.csv", text)
    assert wish.blends == (0.4,) and wish.options == {}


def test_a_spreadsheet_that_writes_decimal_commas_is_understood(tmp_path: Path) -> None:
    text = "original;reference;blend;seed;cfg\na.wav;b.wav;0,1 0,5;1,2;2,5\n"
    (wish,) = listed(tmp_path / "list.csv", text)
    assert (wish.blends, wish.seeds, wish.options) == ((0.1, 0.5), (1, 2), {"cfg": 2.5})
    with pytest.raises(BadInput, match="blend: must be a number"):
        listed(tmp_path / "list.csv", "original;reference;blend\na.wav;b.wav;0,1,5\n")


def test_what_a_manifest_keeps_from_being_a_formula_is_as_it_was(tmp_path: Path) -> None:
    text = "original,reference,prompt\n/a.wav,/b.wav,'=B2\n/a.wav,/b.wav,'tis\n"
    wishes = listed(tmp_path / "manifest.csv", text)
    assert [each.prompt for each in wishes] == ["=B2", "'tis"]


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("list.csv", "original,reference\na.wav,b.wav,c\n", 2, "has 3 cells"),
        ("list.csv", "original,refrence\na,b\n", 1, "refrence: unknown column; did you mean"),
        ("list.csv", "original,reference,blend\na,b,0.5\na,b,loud\n", 3, "blend: must be a number"),
        ("list.csv", "original,reference,blend\na,b,3\n", 2, "blend: must be 0 to 1, not 3"),
        ("list.csv", "original,reference,seed\na,b,9-3\n", 2, "seed: must rise"),
        ("list.csv", "original\na\n", 2, "references: is missing; --reference"),
        ("list.csv", "original,original\na,b\n", 1, "original: comes twice"),
        ("list.csv", "original,reference,original_start\na,b,-1\n", 2, "original_start: must be"),
        ("list.toml", "render = 3\nformat = 1\n", 1, "render: expected"),
        ("list.toml", "format = 1\n[[render]]\noriginal = 'a'\nblends = [0.5, 2]\n", 4, "blends: "),
        ("list.toml", "format = 1\n[[render]]\noriginal = 3\n", 3, "original: must be text"),
        (
            "list.toml",
            "format = 1\n[[render]]\noriginal='a'\nreference='b'\n[[render]]\nblendd = 1\n",
            6, "blendd: unknown; did you mean",
        ),
    ],
)  # fmt: skip
def test_a_wrong_list_is_refused_with_its_file_and_line(
    name: str, text: str, line: int, words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    with pytest.raises(BadInput) as refused:
        listed(path, text)
    assert f"{path}:{line}: {words}" in str(refused.value)


def test_every_mistake_of_a_list_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with pytest.raises(BadInputs) as refused:
        listed(path, "original,reference,cfg\na,b,99\na,b,3\na,b,x\n")
    assert [str(each).partition(" ")[0] for each in refused.value.all] == [
        f"{path}:2:", f"{path}:4:"
    ]  # fmt: skip


def test_a_range_of_seeds_is_all_between() -> None:
    assert axis("seeds", "7,1-3") == (7, 1, 2, 3)
    with pytest.raises(BadInput, match="100000 at most"):
        axis("seeds", "0-4000000000")
