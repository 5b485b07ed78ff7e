"""Where the project's own files lie. The package is installed editable, so `params/` stands beside it."""

from __future__ import annotations

from pathlib import Path


def project_root() -> Path:
    """The folder that holds `params/`, `notebooks/` and `recon_lib/`, wherever the command was started."""
    return Path(__file__).resolve().parents[1]
