"""An ear that isn't the model's own: fusions beside plain morphs (`eutectic bench --part ear`).

`embedding` says how alike two sounds are, `measures` what a series of morphs between them is like,
`contenders` what is compared, `pairs` on which sounds; `comparison` runs it all.
"""

from importlib.util import find_spec

from eutectic.errors import BadInput

PACKAGES = {
    "aisfx": "pip install --no-deps aisfx==0.1.2",  # it pins versions of 2022
    "zimtohrli": "pip install zimtohrli",
}


def check_package(name: str) -> None:
    """Check that a package of the `dev` extra is there.

    Raises:
        BadInput: it isn't installed.
    """
    if find_spec(name) is None:
        raise BadInput(f"part ear needs {name}, which isn't installed ({PACKAGES[name]})")
