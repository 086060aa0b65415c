"""The page's own files, as browsers are sent them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

_COMMENT = re.compile(
    r"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/[ \t]*)$", re.MULTILINE | re.DOTALL
)  # fmt: skip


class Files(StaticFiles):
    """Scripts and styles are sent without their comments: those are for who reads the source."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope,
        status_code: int = 200,
    ) -> Response:  # fmt: skip
        usual, path = super().file_response(full_path, stat_result, scope, status_code), full_path
        if not isinstance(usual, FileResponse) or Path(path).suffix not in (".js", ".css"):
            return usual
        headers = {name: usual.headers[name] for name in ("etag", "last-modified")}
        text = without_comments(Path(path).read_text(encoding="utf-8"))
        return Response(text, status_code, headers, usual.media_type)


def without_comments(text: str) -> str:
    """Without comments that have their lines to themselves; the others stay the lines they were."""
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
