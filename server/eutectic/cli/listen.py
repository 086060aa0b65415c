"""`eutectic listen`: the paper's listening test, and the evaluation of its answers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from eutectic.cli import options
from eutectic.cli.outputs import check_folder, check_output, make_folder
from eutectic.cli.terminal import console
from eutectic.errors import BadInput, BadOutput, BadSetting

PORT = 9730


def listen(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders with original, reference and fusion, or folders of such folders."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 admits phones on the local network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port; 0 picks a free one.")] = PORT,
    blend: Annotated[
        float,
        typer.Option(help="If a folder has several fusions, use the one nearest to this."),
    ] = 0.5,
    title: Annotated[
        str, typer.Option(help="Title of the questionnaire.")
    ] = "Two sounds, one sound",
    answers: Annotated[
        Path | None,
        typer.Option(help="File for the answers (default: answers.sqlite in the first folder)."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Export the answers to this CSV file instead (default: none)."),
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(
            help="Draw the paper's Figures 5 and 6 into this folder instead (default: none)."
        ),
    ] = None,
    webmushra: Annotated[
        Path | None,
        typer.Option(help="Write the sets for webMUSHRA into this folder instead (default: none)."),
    ] = None,
    force: options.Force = False,
) -> None:
    """Run a listening test in the browser.

    Respondents rate how similar fusions are to their sources.
    """
    where = _answers_file(folders or [], answers)
    if export is not None:
        if export.resolve() == where.resolve():
            raise BadOutput(f"{export}: is where the answers are stored; choose another name")
        check_output(export, (), force)
    for folder in (draw, webmushra):
        if folder is not None:
            check_folder(folder, (), force)
    if webmushra is not None:
        _write_webmushra(folders or [], blend, title, webmushra)
    if export is not None or draw is not None:
        _report(where, export, draw)
    if webmushra is export is draw is None:
        if not 0 <= port <= 65_535:
            raise BadSetting(f"port must be 0 to 65535, not {port}")
        _serve(folders or [], blend, title, where, host, port)


def _answers_file(folders: list[Path], answers: Path | None) -> Path:
    if answers is not None:
        return answers
    if not folders:
        raise BadInput("name a folder of sets, such as `eutectic window` writes")
    return folders[0] / "answers.sqlite"


def _serve(
    folders: list[Path], blend: float, title: str, where: Path, host: str, port: int
) -> None:
    from eutectic.listening_test.answers import Answers
    from eutectic.listening_test.server import addresses, listen, serve
    from eutectic.listening_test.sets import find_sets, prepare
    from eutectic.listening_test.survey import Survey

    sets = find_sets(folders, blend)
    with tempfile.TemporaryDirectory() as sounds, listen(host, port) as listener:
        prepared = prepare(sets, Path(sounds))
        kept = Answers(where)
        survey = Survey(sets, prepared, kept, title)

        def ready() -> None:
            for address in addresses(listener):
                console.print(f"listening on {address}")
            console.print(f"{len(sets)} sets; answers go to {where}; press Ctrl-C to stop")

        serve(survey, listener, ready)
        kept.close()


def _report(where: Path, export: Path | None, draw: Path | None) -> None:
    from eutectic.listening_test.answers import Answers

    kept = Answers(where, make=False)
    respondents = kept.all()
    kept.close()
    if export is not None:
        from eutectic.listening_test.export import save_csv

        save_csv(respondents, export)
        console.print(f"{export}: {len(respondents)} respondents")
    if draw is not None:
        from eutectic.listening_test.pictures import check_drawable, draw_engagement, draw_likeness

        check_drawable(respondents)
        make_folder(draw)
        for path, picture in (("fig5.png", draw_engagement), ("fig6.png", draw_likeness)):
            picture(respondents, draw / path)
            console.print(str(draw / path))


def _write_webmushra(folders: list[Path], blend: float, title: str, out: Path) -> None:
    from eutectic.listening_test.sets import find_sets
    from eutectic.listening_test.webmushra import save_webmushra

    sets = find_sets(folders, blend)
    make_folder(out)
    for path in save_webmushra(sets, title, out):
        console.print(
            f"{path}: {len(sets)} sets; in webMUSHRA's configs/eutectic: "
            f"?config=eutectic/{path.name}"
        )
