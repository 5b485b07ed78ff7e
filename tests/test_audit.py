"""The audit of dependencies: what it finds, and that silence of a service is never taken for health."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from tests.pages import ROOT

LOCK = f"""one==1.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
two==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:{"c" * 64}
two==2.1 ; python_full_version >= '3.12' \\
    --hash=sha256:{"d" * 64}
bare==3.0
"""


@pytest.fixture(scope="module")
def audit() -> Iterator[ModuleType]:
    place = ROOT / ".ci" / "audit.py"
    spec = importlib.util.spec_from_file_location("audit_of_ci", place)
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(made)  # type: ignore[union-attr]
    yield made
    sys.path[:] = before
    sys.modules.pop("install", None)


def test_pins_by_hand(audit: ModuleType) -> None:
    assert audit.pins(LOCK) == {
        "one": {"1.0": {"a" * 64, "b" * 64}}, "two": {"2.0": {"c" * 64}, "2.1": {"d" * 64}}, "bare": {"3.0": set()},
    }  # fmt: skip


def test_what_is_not_in_the_lock_is_told(audit: ModuleType) -> None:
    allowed = audit.pins(LOCK)
    assert audit.outside([("one", "1.0"), ("two", "2.1"), ("pip", "9"), (audit.OURS, "0.1.0")], allowed) == []
    assert audit.outside([("one", "1.1"), ("other", "5"), ("bare", "3.0")], allowed) == [
        "bare 3.0 has no hash in constraints.txt",
        "one 1.1 is installed, constraints.txt has 1.0",
        "other 5 is installed and not in constraints.txt",
    ]


def item(name: str, version: str, digest: str, yanked: bool | None = False) -> dict[str, Any]:
    told = {
        "metadata": {"name": name, "version": version},
        "download_info": {"archive_info": {"hashes": {"sha256": digest}}},
    }
    return told | ({} if yanked is None else {"is_yanked": yanked})


def test_withdrawn_releases_and_other_bytes_are_told(audit: ModuleType) -> None:
    allowed, wanted = audit.pins(LOCK), {"one": "1.0", "two": "2.0"}
    assert audit.judged([item("One", "1.0", "b" * 64), item("two", "2.0", "c" * 64)], allowed, wanted) == ([], "")
    assert audit.judged([item("one", "1.0", "e" * 64), item("two", "2.0", "c" * 64, True)], allowed, wanted) == (
        ["one 1.0: the index offers a file that constraints.txt does not know", "two 2.0 was withdrawn by its authors"], "",
    )  # fmt: skip
    # an old pip, or an index that left one out: not known is not clean
    assert audit.judged([item("one", "1.0", "a" * 64, None)], allowed, wanted) == (
        [],
        "the index tells nothing of one, two",
    )


class Osv(BaseHTTPRequestHandler):
    """Knows one weakness of `weak`, and of the canary what `canary` says."""

    weak, canary = "none", True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        known = name == self.weak or (name == "jinja2" and self.canary)
        affected = [
            {
                "package": {"name": name, "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
            }
        ]
        body = json.dumps({"vulns": [{"id": "PYSEC-1", "affected": affected}]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Osv]]:
    made = type("Made", (Osv,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("AUDIT_SERVICE", "osv")
    monkeypatch.setenv("AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def test_weaknesses_are_found_in_pins_for_any_system(audit: ModuleType, osv: type[Osv]) -> None:
    pytest.importorskip("pip_audit", reason="the extra `audit` is not installed")
    allowed = audit.pins(LOCK)
    assert audit.weaknesses(allowed) == ([], "")
    osv.weak = "two"  # pinned twice, by the version of Python: both are told
    assert audit.weaknesses(allowed) == (["two 2.0: PYSEC-1", "two 2.1: PYSEC-1"], "")


def test_a_service_that_knows_nothing_is_no_clean_bill(
    audit: ModuleType, osv: type[Osv], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pip_audit", reason="the extra `audit` is not installed")
    osv.canary = False
    found, why = audit.weaknesses(audit.pins(LOCK))
    assert (found, why.partition(" (")[0]) == ([], "no vulnerability service is reachable")
    monkeypatch.setenv("AUDIT_OSV_URL", "http://127.0.0.1:9/v1/query")
    assert audit.weaknesses(audit.pins(LOCK)) == (
        [],
        "no vulnerability service is reachable (no answer that could be read)",
    )


def test_a_mirror_without_vulnerabilities_is_no_clean_bill(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pip-audit prints, with exit code 0, where every package is answered with 404."""
    skipped = {
        "dependencies": [{"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited"}],
        "fixes": [],
    }
    monkeypatch.setattr(
        audit, "run", lambda command, seconds: type("Done", (), {"stdout": json.dumps(skipped), "returncode": 0})
    )
    found, why = audit.weaknesses(audit.pins(LOCK))
    assert (found, why.partition(" (")[0]) == ([], "no vulnerability service is reachable")


def test_exit_codes_and_words(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = ([], "")
    for index, weak, code in (
        (clean, clean, 0),
        (clean, ([], "why"), 3),
        ((["x 1 was withdrawn"], ""), ([], "why"), 1),
    ):
        monkeypatch.setattr(audit, "in_the_index", lambda wanted, allowed, index=index: index)
        monkeypatch.setattr(audit, "weaknesses", lambda allowed, weak=weak: weak)
        monkeypatch.setattr(audit, "outside", lambda installed, allowed: [])
        assert audit.main() == code
        said = capsys.readouterr().out
        assert ("audit: NOT AUDITED whether no known weakness in" in said) == bool(weak[1])
        assert ("audit: no known weakness in" in said) == (not weak[1])
        assert ("audit: FOUND: x 1 was withdrawn" in said) == (code == 1)
    assert "Apache" in said  # licences are listed


def test_licences_as_stated(audit: ModuleType) -> None:
    from email.message import Message

    def one(name: str, **stated: str) -> Any:
        metadata = Message()
        metadata["Name"] = name
        for key, value in stated.items():
            metadata[key.replace("_", "-")] = value
        return type("One", (), {"metadata": metadata})

    assert audit.licences([
        one("a", License_Expression="MIT", License="other"), one("B_b", Classifier="License :: OSI Approved :: MIT License"),
        one("c", License="BSD"), one("d", License="a whole text\n" * 9), one("e"),
    ]) == {"BSD": ["c"], "MIT": ["a"], "MIT License": ["b-b"], "not stated": ["d", "e"]}  # fmt: skip
