"""Pages for the tests: the cells of the real notebook over a day made by hand."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "daily_packet.ipynb"
LOAD = "from tests.standin import make_day, many, hostile\nfrom pathlib import Path\n"


def standin_notebook(path: Path, more: str = "") -> Path:
    """The notebook with a day made by hand in place of the books, for runs in a real kernel; `more` runs after saving."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if "reconcile(books" in source:
            kept = [line for line in source.splitlines() if line.startswith("from recon_lib import")]
            made = (
                "day = make_day(folder=Path(account_folder), last=publish.earlier(entered_before))\nbooks = day.books"
            )
            cell["source"] = "\n".join([*kept, LOAD, made])
        elif "day.save(out)" in source:
            cell["source"] = source + "\n" + more
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def render(day: Any, **facts: Any) -> bytes:
    """The page of `day` without a kernel: the notebook's cells run here, their last expressions are shown."""
    import nbformat

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    names: dict[str, Any] = {"day": day, "books": day.books, "out": ""}
    for cell in notebook.cells:
        if cell.cell_type != "code" or {"parameters", "notebook-only"} & set(cell.metadata.get("tags", [])):
            continue
        if "reconcile(books" in cell.source:
            exec(
                "\n".join(line for line in cell.source.splitlines() if line.startswith("from recon_lib import")), names
            )
            continue
        body = ast.parse(cell.source).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), cell.id, "exec"), names)
        if last is not None:
            assert isinstance(last, ast.Expr)
            shown = eval(compile(ast.Expression(last.value), cell.id, "eval"), names)
            data = (
                shown._repr_mimebundle_() if hasattr(shown, "_repr_mimebundle_") else {"text/html": shown._repr_html_()}
            )
            cell.outputs = [nbformat.v4.new_output("execute_result", data=json.loads(json.dumps(data)))]
    written: bytes = exporter().page(notebook, {"title": "stand-in 2026-01-31", "revision": 1, **facts})
    return written


@cache
def exporter() -> Any:
    from recon_lib.export import Exporter

    return Exporter()
