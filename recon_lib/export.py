"""From a notebook that ran to one self-contained page: own nbconvert template, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from recon_lib.errors import RunError
from recon_lib.looks import TEMPLATES, look, policy
from recon_lib.paths import to_install

PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
ASIDE = "notebook-only"  # tag of cells that explain the notebook and do not belong on the page


class Figures:
    """Numbers the charts of a page from 1."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> int:
        self.count += 1
        return self.count


def figure_json(figure: dict[str, Any]) -> str:
    """A figure as JSON that cannot end the script element it stands in. The page sets the configuration itself."""
    told = json.dumps({k: figure[k] for k in ("data", "layout")}, sort_keys=True, separators=(",", ":"))
    return told.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


class _Html(TemplateExporter):  # type: ignore[misc]
    """nbconvert's exporter without its preprocessors, none of which the page needs: each copies and checks the notebook."""

    def _init_preprocessors(self) -> None:
        self._preprocessors: list[Any] = []

    def _preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        return nb, resources


class Exporter:
    """Writes pages; built once, before the notebook has ended."""

    def __init__(self) -> None:
        # Not HTMLExporter: it parses the finished page once more, which takes seconds for a large one.
        self._html = _Html(
            template_name="packet", template_file="index.html.j2", extra_template_basedirs=[str(TEMPLATES)],
            exclude_input=True, filters={"figjson": figure_json, "markdown": _markdown},
        )  # fmt: skip
        _ = self._html.template  # compiled now, while the notebook still runs
        self._css, self._script = look()
        found = importlib.util.find_spec("plotly")
        if found is None or not found.submodule_search_locations:
            raise RunError("plotly is not installed", do=to_install("").rstrip())
        plotly = (Path(found.submodule_search_locations[0]) / "package_data" / "plotly.min.js").read_bytes()
        self._plotly = base64.b64encode(gzip.compress(plotly, 6, mtime=0)).decode("ascii")
        self._policy = policy(self._script.encode(), plotly, images="data: blob:")

    def page(self, notebook: Any, facts: dict[str, Any]) -> bytes:
        """The page. `facts`: title, revision, revises."""
        notebook.metadata.pop("widgets", None)
        notebook.cells = [cell for cell in notebook.cells if ASIDE not in cell.metadata.get("tags", [])]
        for i, cell in enumerate(notebook.cells):
            cell.id = f"c{i}"  # papermill gives the injected cell a random one
        wanted = _kinds(notebook).count(PLOTLY)
        if WIDGET in _kinds(notebook):
            raise RunError("the notebook shows a widget: on a page it would be dead", hoped="tables and charts only")
        resources = {
            "figures": Figures(), "css": self._css, "script": self._script, "plotly": self._plotly if wanted else "",
            "policy": self._policy, "facts": facts, "chapters": _chapters(notebook),
        }  # fmt: skip
        body: str
        body, _ = self._html.from_notebook_node(notebook, resources)
        shown = len(re.findall(r'<script type="application/json" id="fig-\d+-json">', body))
        if shown != wanted:
            raise RunError(f"the page shows {shown} of {wanted} charts", hoped="every chart of the notebook")
        return (body.strip() + "\n").encode("utf-8")


@lru_cache(maxsize=256)
def _markdown(source: str) -> str:
    """The notebook's own words; markup in them is shown, not run."""
    return str(MarkdownWithMath(renderer=IPythonRenderer(escape=True, exclude_anchor_links=True)).render(source))


def _kinds(notebook: Any) -> list[str]:
    return [kind for cell in notebook.cells for shown in cell.get("outputs", []) for kind in shown.get("data", {})]


def _chapters(notebook: Any) -> list[tuple[str, str]]:
    """Cell id and text of every heading of the second level."""
    titles = [
        (cell.id, cell.source.splitlines()[0])
        for cell in notebook.cells
        if cell.cell_type == "markdown" and cell.source
    ]
    return [(id, line[3:].strip()) for id, line in titles if line.startswith("## ")]
