"""What all pages share: the look, the script, and the policy by which nothing else runs and nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")


def look() -> tuple[str, str]:
    """The style and the script of a page."""
    css, script = ((TEMPLATES / "packet" / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return css, script


def policy(*scripts: bytes, images: str = "data:") -> str:
    """The content security policy of a page in which only these scripts may run: hostile text does nothing."""
    known = " ".join(source_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {known}; style-src 'unsafe-inline'; img-src {images}; "
        "base-uri 'none'; form-action 'none'"
    )


def source_hash(code: bytes) -> str:
    """What a content security policy calls a script by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(code).digest()).decode('ascii')}'"
