"""Names of renders stay in their folder, on every file system, and tell everything apart."""

import pytest

from eutectic.config import Place, SamplingSettings
from eutectic.errors import BadSetting
from eutectic.link.protocol import Source
from eutectic.rendering.naming import (
    Template,
    check_name,
    check_template,
    default_template,
    labels,
    place_value,
    values_of,
)


def named(text: str, place: Place, **sampling: object) -> str:
    values = values_of("rust", SamplingSettings(**sampling), "match")  # pyright: ignore[reportArgumentType]
    names = {"original": "kick", "reference": "hinge", "blend": place_value(place)}
    return Template(text, ".wav").name(values | names)


def test_a_template_is_filled_in() -> None:
    text = "{reference}/{original}+{preset}-{blend:03d}-{blend:.3f}-c{recall}-s{seed:04d}"
    assert named(text, Place(0.125), seed=7, recall=1.0) == (
        "hinge/kick+rust-012-0.125-c100-s0007.wav"
    )
    assert named("{original}-{blend:03d}-{cfg}", Place(remaining=4)) == "kick-r4-model.wav"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{orignal}", "did you mean original"),
        ("{original.path}", "is unknown"),
        ("{original!r}", "a format alone"),
        ("{original:{seed}}", "a format alone"),
        ("{original", "expected '}'"),
        ("{}", "is unknown"),
        ("{seed:x!}", "Invalid format"),
        ("{original}.wav", "leave out its end"),
        ("../{original}", "begins with a dot"),
        ("/{original}", "is empty"),
        ("a//{original}", "is empty"),
        (".hidden/{original}", "begins with a dot"),
        ("a:b{original}", "isn't a name on every system"),
        ("c\\{original}", "isn't a name on every system"),
        ("nul/{original}", "isn't a name on every system"),
        ("x" * 300, "longer than"),
    ],
)
def test_a_template_that_makes_no_names_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words.replace("{", "\\{")):
        Template(text, ".wav")


def test_what_has_several_values_must_be_in_the_template() -> None:
    check_template(Template("{original}-{seed}", ".wav"), ["original", "seed"])
    with pytest.raises(BadSetting, match=r"needs \{seed\}"):
        check_template(Template("{original}", ".wav"), ["original", "seed"])


def test_the_default_template_tells_apart_whatever_varies() -> None:
    assert default_template(["original", "seed"], ".wav").text == (
        "{original}+{reference}-{blend}-s{seed}"
    )
    more = default_template(["preset", "recall", "cfg"], ".wav")
    assert more.text == "{original}+{reference}-{preset}-{blend}-c{recall}-cfg{cfg}-s{seed}"
    check_template(more, ["preset", "recall", "cfg", "seed", "blend"])


def test_sounds_of_one_name_are_told_apart_by_what_differs() -> None:
    paths = [
        "/a/x/kick.wav", "/a/y/Kick.wav", "/b/y/kick.wav", "/c/snare.wav", "/c/snare.flac",
        "/c/hat.wav", "/d/nul.wav", "/d/.wav",
    ]  # fmt: skip
    found = labels([Source(path) for path in paths])
    assert found == [
        "x-kick", "a-y-Kick", "b-y-kick", "snare-wav", "snare-flac", "hat", "_nul", "_wav",
    ]  # fmt: skip
    sections = [Source("/a/kick.wav", start) for start in (0.0, 1.5)]
    assert labels(sections) == ["kick-at0", "kick-at1.5"]
    assert labels([Source("/a/b.wav")] * 3, ["hum", "", "hum"]) == ["b-hum", "b", "b-hum-2"]
    assert labels([Source("/a/B.wav"), Source("/a/b.wav")]) == ["B", "b-2"]
    four = [f"/{folder}/b.{suffix}" for folder in "cd" for suffix in ("wav", "flac")]
    assert labels(list(map(Source, four))) == ["c-b-wav", "c-b-flac", "d-b-wav", "d-b-flac"]


def test_no_name_of_a_sound_leads_out_of_the_folder() -> None:
    for stem in ("..", "con", "a\x01b", 'q"?*', "e\u0301" * 90, " x "):
        (label,) = labels([Source(f"/a/{stem}.wav")])
        check_name(f"{label}+{label}-050-s0.wav", "name")
