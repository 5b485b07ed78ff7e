"""Makes the notebooks ready to be committed: `python -m tests.notebooks`.

Each is run on the demo account with the parameters it has; the outputs of cells tagged `nbval-check-output` (control
totals) are kept for `make test` to compare, everything else a run leaves behind is taken out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HOME = Path(__file__).resolve().parents[1] / "notebooks"
KEPT = "nbval-check-output"


def stripped(notebook: Any) -> Any:
    """The notebook without what a run left behind, except the outputs that are compared."""
    for name in set(notebook.metadata) - {"kernelspec", "language_info"}:
        del notebook.metadata[name]
    notebook.metadata["language_info"] = nbformat.from_dict({"name": "python"})
    for cell in notebook.cells:
        for name in set(cell.metadata) - {"tags"}:
            del cell.metadata[name]
        if cell.cell_type == "code":
            cell.outputs = cell.outputs if KEPT in cell.metadata.get("tags", []) else []
            cell.execution_count = 1 if cell.outputs else None  # nbval compares cells that were run
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = 1
    return notebook


def main() -> None:
    for path in sorted(HOME.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(HOME)}}).execute()
        nbformat.write(stripped(notebook), path)
        print(path.name)


if __name__ == "__main__":
    main()
