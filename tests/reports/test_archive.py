"""Archives: every member is yielded or told why not, nothing is written outside, bombs stop early."""

from __future__ import annotations

import gzip
import os
import stat
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest

from recon_lib.errors import NotAReport, ReportError
from recon_lib.reports import archive
from recon_lib.reports.archive import open_members

TEXT = b"sku\tquantity\nA\t1\n"


def members(path: Path, display: str | None = None) -> list[tuple[str, bytes | ReportError]]:
    return [(name, m if isinstance(m, ReportError) else m.read_bytes()) for name, m in open_members(path, display)]


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in entries:
            out.writestr(name, data)
    return path


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path, monkeypatch):
    """Temporary folders are gone after every test."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield
    assert list(place.iterdir()) == []


def test_a_plain_file_is_itself(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT)
    assert list(open_members(path)) == [("a.txt", path)]
    assert list(open_members(path, "reports/a.txt")) == [("reports/a.txt", path)]


def test_gz_is_one_member_whatever_its_name(tmp_path):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(TEXT))
    assert members(path, "reports/a.txt.gz") == [("reports/a.txt.gz!a.txt", TEXT)]
    other = tmp_path / "report"
    other.write_bytes(gzip.compress(TEXT[:5]) + gzip.compress(TEXT[5:]))  # two parts make one file
    assert members(other) == [("report!report", TEXT)]


def test_zip_gives_every_member_sorted_with_folders(tmp_path):
    path = zipped(tmp_path / "a.zip", ("z.txt", b"z"), ("in/deep/a.txt", TEXT), ("in/", b""), ("Ü.txt", b"u"))
    assert members(path) == [("a.zip!in/deep/a.txt", TEXT), ("a.zip!z.txt", b"z"), ("a.zip!Ü.txt", b"u")]


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/evil.txt", "C:\\evil.txt", "c:evil.txt", "..\\evil.txt", "\\evil"]
)
def test_names_that_lead_out_are_refused_and_nothing_is_written(tmp_path, name):
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    path = zipped(tmp_path / "a.zip", (name, b"evil"), ("good.txt", TEXT))
    got = dict(members(path))
    assert got["a.zip!good.txt"] == TEXT
    (refused,) = [m for m in got.values() if isinstance(m, ReportError)]
    assert "leads out" in refused.met
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before | {path}
    assert not (tmp_path.parent / "evil.txt").exists()


def test_links_and_devices_are_refused(tmp_path):
    link, device = zipfile.ZipInfo("link.txt"), zipfile.ZipInfo("device.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    got = dict(members(zipped(tmp_path / "a.zip", (link, b"/etc/passwd"), (device, b""), ("good.txt", TEXT))))
    assert "a link" in got["a.zip!link.txt"].met
    assert "special" in got["a.zip!device.txt"].met
    assert got["a.zip!good.txt"] == TEXT


def test_what_the_operating_system_adds_is_not_a_report(tmp_path):
    path = zipped(tmp_path / "a.zip", ("__MACOSX/._a.txt", b"x"), ("in/.DS_Store", b"x"), ("a.txt", TEXT))
    got = dict(members(path))
    assert isinstance(got["a.zip!__MACOSX/._a.txt"], NotAReport)
    assert isinstance(got["a.zip!in/.DS_Store"], NotAReport)
    assert got["a.zip!a.txt"] == TEXT


def test_archives_within_archives_are_refused_by_name_and_by_content(tmp_path):
    inner = zipped(tmp_path / "inner.zip", ("a.txt", TEXT)).read_bytes()
    path = zipped(
        tmp_path / "a.zip",
        ("inner.zip", inner),
        ("hidden.txt", inner),
        ("b.xlsx", inner),
        ("h.txt", gzip.compress(TEXT)),
    )
    got = dict(members(path))
    for name in ("inner.zip", "hidden.txt", "h.txt"):
        assert got[f"a.zip!{name}"].met == "an archive within an archive"
    assert isinstance(got["a.zip!b.xlsx"], NotAReport)
    double = tmp_path / "a.gz"
    double.write_bytes(gzip.compress(gzip.compress(TEXT)))
    assert members(double)[0][1].met == "an archive within an archive"


def test_a_name_that_stands_twice_is_refused_the_second_time(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "a.zip", ("a.txt", TEXT), ("a.txt", b"other"))
    got = members(path)
    assert got[0] == ("a.zip!a.txt", TEXT)
    assert "second member" in got[1][1].met


def test_an_encrypted_member_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", ("a.txt", TEXT))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    ((_, problem),) = members(path)
    assert "encrypted" in problem.met


def test_unusual_packing_is_refused(tmp_path):
    ((_, problem),) = members(zipped(tmp_path / "a.zip", ("a.txt", TEXT), method=zipfile.ZIP_LZMA))
    assert "unusual" in problem.met


@pytest.mark.parametrize("size", [5, len(TEXT) + 400])
def test_a_directory_that_lies_about_sizes(tmp_path, size):
    path = zipped(tmp_path / "a.zip", ("a.txt", TEXT))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, size)
    path.write_bytes(data)
    ((name, problem),) = members(path)
    assert name == "a.zip!a.txt"
    assert isinstance(problem, ReportError)
    assert "damaged" in problem.met or "the archive says" in problem.met


def test_damaged_bytes_fail_the_checksum(tmp_path):
    path = zipped(tmp_path / "a.zip", ("a.txt", TEXT), ("b.txt", b"fine"), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"quantity", b"quantitY"))
    got = dict(members(path))
    assert "damaged" in got["a.zip!a.txt"].met
    assert got["a.zip!b.txt"] == b"fine"


def test_cut_off_archives(tmp_path):
    path = zipped(tmp_path / "a.zip", ("a.txt", os.urandom(5000)))
    path.write_bytes(path.read_bytes()[:3000])
    ((name, problem),) = members(path)
    assert name == "a.zip"
    assert "zip archive that is cut off" in problem.met
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(os.urandom(5000))[:3000])
    assert "gzip file that is cut off" in members(packed)[0][1].met


@pytest.mark.parametrize("tail", [b"trailing", b"\x1f\x8bXX"])
def test_gz_with_something_behind_it(tmp_path, tail):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT) + tail)
    ((name, problem),) = members(path)
    assert name == "a.gz"
    assert "followed by something else" in problem.met


def test_an_empty_archive_and_a_workbook_are_not_reports(tmp_path):
    assert isinstance(members(zipped(tmp_path / "a.zip"))[0][1], NotAReport)
    book = zipped(tmp_path / "b.xlsx", ("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>"))
    assert isinstance(members(book)[0][1], NotAReport)


def test_bombs_stop_at_the_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 2_000_000)
    zeros = bytes(8_000_000)
    path = zipped(tmp_path / "a.zip", ("a.txt", zeros), ("b.txt", TEXT))
    ((name, problem),) = members(path)  # the second member is not touched
    assert name == "a.zip!a.txt"
    assert "200 times" in problem.met
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(zeros))
    assert "200 times" in members(packed)[0][1].met
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000_000)
    assert "more than" in members(packed)[0][1].met


def test_many_small_members_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 2_500_000)
    data = os.urandom(1_000_000)
    got = members(zipped(tmp_path / "a.zip", *((f"{n}.txt", data) for n in range(5))))
    assert [isinstance(m, ReportError) for _, m in got] == [False, False, True]
    monkeypatch.setattr(archive, "MOST_MEMBERS", 4)
    assert "5 members" in members(tmp_path / "a.zip")[0][1].met


def test_what_is_no_file(tmp_path):
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    assert "a folder" in members(tmp_path / "folder.txt")[0][1].met
    assert "a pipe" in members(tmp_path / "pipe.txt")[0][1].met
    assert "cannot be opened" in members(tmp_path / "absent.txt")[0][1].met
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "cannot be opened" in members(tmp_path / "loop")[0][1].met


def test_control_characters_in_names_are_not_printed(tmp_path):
    names = [name for name, _ in members(zipped(tmp_path / "a.zip", ("a\x1b[31m\u202etxt.exe", TEXT)))]
    assert names == ["a.zip!a\ufffd[31m\ufffdtxt.exe"]


def test_leaving_early_cleans_up(tmp_path):
    opened = open_members(zipped(tmp_path / "a.zip", ("a.txt", TEXT), ("b.txt", TEXT)))
    next(opened)
    opened.close()
