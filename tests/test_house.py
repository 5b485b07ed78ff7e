"""Promises about the whole: direction of imports, exports, parameters, environment, documents."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "recon_lib"
# A room imports only rooms above it in this list. A package counts as one room.
FLOW = [
    "errors", "paths", "disk", "arguments", "cloud_problems", "cloud", "lease", "cents", "money", "frames", "policy_check", "policy_tables", "policy", "measures", "tiers", "cards", "referral", "reports",
    "settings", "account", "settled_files", "check", "check_text", "merging", "zones", "code_words", "item_runs", "digests", "books", "file_facts", "overlaps", "family_rows", "asof", "folding", "keys", "matching_terms", "matching_meet", "matching_ladder",
    "matching_rest", "matching", "pay_keys", "allocation", "rollforward", "tieout", "kept", "medians", "sold", "valuation",
    "audits", "claims", "journal", "pay_life",
    "fast_lines", "fast_batches", "fast_pay", "fast_rows", "decisions", "cases", "register_copy", "register_base", "register", "restoring", "titles", "trends", "charts", "words", "tables", "claims_book", "outputs",
    "bridge", "reconcile", "controls", "pay_totals", "bank_totals", "gaps", "answer", "changes", "sections", "manifest", "publish", "plain_journal", "month", "month_recurring", "month_packets", "review_book", "month_tieout", "month_sheets", "month_charts",
    "month_answer", "quiet", "kernel", "looks", "export", "warm", "kernel_manager", "running", "packet", "index_page", "index", "unchanged", "account_job", "crew", "daily_page", "daily", "mirror", "sending", "away", "cloud_index", "cloud_cases",
    "notice_facts", "notice_memory", "notice_cloud", "notice_words", "notice_settings", "deliver", "notices", "telling",
    "explore", "life", "life_chart", "explore_tables", "explorer_controls", "widgets", "__init__", "case_commands", "fetch", "commands", "__main__",
]  # fmt: skip
# Imports inside a function are allowed to look ahead only where they are listed here, with the reason in the module.
LATE = {
    ("books", "asof"),
    ("outputs", "reconcile"),
    ("outputs", "claims_book"),
    ("audits", "books"),
}


def room_of(path: Path) -> str:
    inside = path.relative_to(LIBRARY)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.ImportFrom)
            and node.level == 0
            and node.module
            and node.module.split(".")[0] == "recon_lib"
        ):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("recon_lib.")}
    return found


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_data_walks_one_way(path: Path) -> None:
    here = room_of(path)
    assert here in FLOW, f"{here} has no place in the order of rooms"
    ahead = {
        room
        for room in imports(path)
        if room in FLOW and FLOW.index(room) > FLOW.index(here) and (here, room) not in LATE
    }
    assert not ahead


def test_the_front_door_is_sorted_and_whole() -> None:
    import recon_lib

    assert recon_lib.__all__ == sorted(recon_lib.__all__)
    assert all(hasattr(recon_lib, name) for name in recon_lib.__all__)


def pyproject() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_conda_environment_is_in_step_with_pyproject() -> None:
    project = pyproject()
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = {Requirement(item).name: Requirement(item).specifier for item in listed if isinstance(item, str)}
    given = {"jupyterlab", "polars", "plotly", "papermill", "ipywidgets", "nbval"}
    assert set(conda) == given | {"python", "pip"}
    extras = project["optional-dependencies"]
    ours = [Requirement(text) for text in project["dependencies"] + extras["lab"] + extras["test"]]
    for requirement in ours:
        if requirement.name in given:
            assert conda[requirement.name] == requirement.specifier, requirement.name
    assert str(conda["python"]) == project["requires-python"]
    (pip,) = [item["pip"] for item in listed if isinstance(item, dict)]
    assert pip == ["-e .[lab,bank,test]"]


def test_every_dependency_is_pinned_with_hashes_and_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.M)}
    project = pyproject()
    asked = [*project["dependencies"], *(item for extra in project["optional-dependencies"].values() for item in extra)]
    names = {re.sub(r"[-_.]+", "-", Requirement(item).name).lower() for item in asked} - {"amazon-reconciliation-kit"}
    assert names <= pinned
    assert "://" not in text
    assert not text.startswith("#")
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)
    assert all("--hash=sha256:" in block for block in blocks if block.strip())


def documented_commands() -> set[tuple[str, ...]]:
    """Every `recon word` in a code block or in code marks of the documents."""
    texts = [path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]]
    return {(match,) for text in texts for match in re.findall(r"(?:^|[`$ (])recon ([a-z]+)\b", text, re.M)}


def test_documented_commands_exist() -> None:
    from recon_lib.__main__ import parser

    actions = [action for action in parser()._actions if action.choices and action.dest == "command"]
    known = set(actions[0].choices)
    assert documented_commands(), "the README names no command"
    assert {name for (name,) in documented_commands()} <= known


def test_documented_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    )
    assert set(re.findall(r"make ([a-z]+)", text)) - {"it", "the", "a"} <= targets


def test_nothing_is_installed_by_the_name_of_the_project() -> None:
    """On an index that name is anybody's; and what no lock pins is not asked for."""
    places = [*LIBRARY.rglob("*.py"), ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
    told = [line for path in places for line in path.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    assert [line for line in told if "amazon" in line or "[" in line] == []


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys, recon_lib.__main__ as m\ntry:\n m.main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'polars', 'papermill', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_wrong_usage_ends_with_2_and_without_traceback() -> None:
    for arguments in (
        ["packet", "."],
        ["packet", ".", "--date", "soon"],
        ["packet", "/nowhere", "--date", "2026-01-31"],
        ["wash"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "recon_lib", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
        assert not done.stdout


def test_parameters_of_the_notebook_are_those_the_packet_gives() -> None:
    import papermill

    from recon_lib.packet import NOTEBOOK, PARAMETERS, REVIEW, REVIEW_PARAMETERS

    for name, parameters in ((NOTEBOOK, PARAMETERS), (REVIEW, REVIEW_PARAMETERS)):
        known = papermill.inspect_notebook(str(ROOT / "notebooks" / name))
        assert tuple(known) == parameters
        assert all(item["help"] for item in known.values()), "every parameter says what it is"


def test_notebooks_define_nothing_and_keep_no_output() -> None:
    import nbformat

    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        assert "widgets" not in notebook.metadata
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert not re.search(r"^\s*(def|class) ", cell.source, re.M), (
                    f"{path.name}: a definition belongs in the library"
                )
                if "nbval-check-output" not in cell.metadata.get("tags", []):
                    assert not cell.outputs, path.name


def test_modules_stay_small() -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in LIBRARY.rglob("*.py")
    }
    # The whole data model on one page; the words of eleven languages.
    allowed = {"recon_lib/frames.py": 750, "recon_lib/reports/date_range_words.py": 400}
    assert {name: n for name, n in sizes.items() if n > allowed.get(name, 250)} == {}


def test_no_query_runs_while_a_kernel_imports() -> None:
    """A waiting process with all imports done is split into kernels: the threads of a query would not be there any more."""
    code = (
        "import polars as pl\n"
        "ran = []\n"
        "for name in ('collect', '_collect_eager'):\n"
        "    was = getattr(pl.LazyFrame, name)\n"
        "    setattr(pl.LazyFrame, name, lambda *a, _was=was, **k: ran.append(_was.__name__) or _was(*a, **k))\n"
        "from recon_lib import kernel\n"
        "kernel._imports()\n"
        "kernel._later_imports()\n"
        "print(ran)\n"
        "pl.Series(['A']).str.to_lowercase()\n"
        "print(len(ran) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "True"]


def test_the_process_that_only_runs_a_notebook_needs_no_frames() -> None:
    """Its imports stand on the way of every packet; the frames are the kernel's."""
    code = (
        "import sys, papermill, recon_lib.export, recon_lib.index, recon_lib.packet, recon_lib.running\n"
        "print(sorted({'polars', 'dataframely', 'plotly', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_kernel_begins_without_what_a_packet_does_not_need() -> None:
    code = (
        "import sys, recon_lib.kernel as kernel\nkernel._imports()\n"
        "print(sorted({'plotly', 'nbformat', 'jsonschema', 'narwhals', 'holidays'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
