"""Objects in a storage: listed, brought and written so that nothing is overwritten unseen. A real S3 server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recon_lib import cloud_cases, lease, manifest, mirror, publish, sending
from recon_lib.account_job import Job
from recon_lib.away import outline, run_account
from recon_lib.cloud import Cloud
from recon_lib.cloud_problems import Differs
from recon_lib.errors import HeldError, ReconError, ReportError, RunError, UsageError
from tests.s3_server import CUT, DENIED, SECRET, Asked, Storage, bucket_of, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with running(tmp_path_factory.mktemp("moto") / "log") as storage:
        yield storage


@pytest.fixture
def bucket(server: Storage, tmp_path: Path) -> Iterator[str]:
    with bucket_of(server, tmp_path) as name:
        yield name


def test_nothing_is_overwritten_that_was_not_read(server: Storage, bucket: str) -> None:
    place = Cloud(f"s3://{bucket}/a/b/")
    assert place.objects() == {}
    first = place.write("x.txt", b"one")
    with pytest.raises(Differs):
        place.write("x.txt", b"two")
    assert place.write("x.txt", b"one") == first  # asked twice, because an answer got lost
    with pytest.raises(Differs):
        place.write("x.txt", b"two", over='"another"')
    assert server.get(f"/{bucket}/a/b/x.txt") == b"one"
    second = place.write("x.txt", b"two", over=first)
    assert place.read("x.txt") == (b"two", second)
    assert {name: found.size for name, found in place.objects().items()} == {"x.txt": 3}
    with pytest.raises(Differs):
        place.read("y.txt")
    with pytest.raises(Differs):
        place.write("y.txt", b"new", over=second)  # what was read is gone


def test_more_than_one_page_of_names_is_listed(server: Storage, bucket: str) -> None:
    for n in range(8):
        server.put(f"/{bucket}/many/{n}", b"")
        server.put(f"/{bucket}/many/folder{n}/x", b"")
    server.put(f"/{bucket}/many-more/x", b"")

    def three_a_page(asked: Asked) -> None:
        asked.query += "&max-keys=3"

    server.disturb = three_a_page
    many = Cloud(f"s3://{bucket}/many")
    assert list(many.objects()) == sorted([*map(str, range(8)), *(f"folder{n}/x" for n in range(8))])
    assert many.inside() == ([f"folder{n}" for n in range(8)], [*map(str, range(8))])
    assert len(server.asked) > 8


@pytest.mark.parametrize(
    "wrong",
    [
        "gs://bucket/x",
        "s3://",
        "s3://b",
        "s3://key:" + SECRET + "@bucket/x",
        "s3://bucket/../x",
        "s3://bucket//x",
        "s3://bucket/x?y=1",
    ],
)
def test_an_address_that_is_none_is_refused_and_no_password_shown(wrong: str) -> None:
    with pytest.raises(UsageError, match="is no place in a storage") as told:
        Cloud(wrong)
    assert SECRET not in str(told.value)


def test_a_folder_with_a_strange_name_hides_no_other(server: Storage, bucket: str, tmp_path: Path) -> None:
    for name in ("shop", "shop%20%231", "old%3F/deep", "shop%5C2"):
        server.put(f"/{bucket}/accounts/{name}/account.yml", name.encode())
    server.put(f"/{bucket}/accounts/notes%20%23/readme.txt", b"x")
    outline(Cloud(f"s3://{bucket}/accounts"), tmp_path / "near")
    assert sorted(path.name for path in (tmp_path / "near").iterdir()) == ["shop", "shop #1", "shop\\2"]
    assert (tmp_path / "near/shop #1/account.yml").read_bytes() == b"shop%20%231"
    for name in ("shop #1", "shop\\2"):  # neither can be written as an address: both are told
        job = Job(tmp_path / "near" / name, tmp_path / "out", "2026-01-31", False, datetime(2026, 2, 1, tzinfo=UTC))
        told = run_account(f"s3://{bucket}/accounts", tmp_path / "out", "one", job)
        assert (told.state, told.folder) == ("unusable", name)
        assert "is no place in a storage" in told.message


def test_every_trouble_with_the_storage_is_told_in_words(
    server: Storage, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    place, said = Cloud(f"s3://{bucket}/a"), []

    def trouble(kind: type[ReconError], words: str, where: Cloud = place) -> None:
        with pytest.raises(kind, match=words) as told:
            where.objects()
        assert type(told.value) is kind
        said.append(str(told.value))

    trouble(UsageError, "there is no bucket no-such-bucket", Cloud("s3://no-such-bucket/a"))
    server.disturb = lambda asked: DENIED
    trouble(UsageError, r"access to s3://.* is denied \(AccessDenied\)")
    server.disturb = lambda asked: DENIED.replace(b"AccessDenied", b"InvalidAccessKeyId")
    trouble(UsageError, "InvalidAccessKeyId")
    server.disturb = lambda asked: CUT
    trouble(RunError, "cannot be reached or broke off")
    server.disturb = lambda asked: None
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    s3fs.S3FileSystem.clear_instance_cache()
    trouble(UsageError, "there are no credentials")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    s3fs.S3FileSystem.clear_instance_cache()
    trouble(UsageError, "there are no credentials")
    s3fs.S3FileSystem.clear_instance_cache()
    assert SECRET not in "".join(said)
    assert all("What to do" in text for text in said)


# ---- the account's copy


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fetched(server: Storage) -> list[str]:
    got = [
        a.key.rpartition("/")[2]
        for a in server.asked
        if a.method == "GET" and "list-type" not in a.query and a.status == 200
    ]
    server.asked.clear()
    return sorted(got)


def test_only_what_changed_is_brought_and_a_damaged_copy_is_seen(server: Storage, bucket: str, tmp_path: Path) -> None:
    source = Cloud(f"s3://{bucket}/acc")
    for name, content in {"account.yml": b"account: a", "reports/1.txt": b"one", "reports/2.txt": b"two", ".hidden": b"x",
                          "books/.part/x": b"x", "reports/": b""}.items():  # fmt: skip
        server.put(f"/{bucket}/acc/{name}", content)
    folder = mirror.account(source, tmp_path)
    assert files(folder) == {"account.yml": b"account: a", "reports/1.txt": b"one", "reports/2.txt": b"two"}
    assert (folder / "books").is_dir()
    assert fetched(server) == ["1.txt", "2.txt", "account.yml"]
    mirror.account(source, tmp_path)
    assert fetched(server) == []
    server.put(f"/{bucket}/acc/reports/2.txt", b"TWO")  # as long as before
    (folder / "reports" / "1.txt").write_bytes(b"bad")  # the copy alone
    (folder / "register.sqlite-wal").write_bytes(b"left")
    server.send("DELETE", f"/{bucket}/acc/account.yml")
    mirror.account(source, tmp_path)
    assert fetched(server) == ["1.txt", "2.txt"]
    assert files(folder) == {"reports/1.txt": b"one", "reports/2.txt": b"TWO"}
    (tmp_path / mirror.STATE).write_text("damaged")
    mirror.account(source, tmp_path)
    assert fetched(server) == ["1.txt", "2.txt"]


def test_an_object_that_changes_or_goes_while_it_is_read_is_read_anew(
    server: Storage, bucket: str, tmp_path: Path
) -> None:
    source = Cloud(f"s3://{bucket}/acc")
    for name in ("account.yml", "reports/1.txt", "reports/2.txt"):
        server.put(f"/{bucket}/acc/{name}", b"old")
    done: list[str] = []

    def meanwhile(asked: Asked) -> None:
        if asked.method == "GET" and asked.key.endswith("1.txt") and not done:
            done.append("changed and deleted")
            server.put(f"/{bucket}/acc/reports/1.txt", b"new")
            server.send("DELETE", f"/{bucket}/acc/reports/2.txt")

    server.disturb = meanwhile
    assert files(mirror.account(source, tmp_path)) == {"account.yml": b"old", "reports/1.txt": b"new"}
    assert done

    def always(asked: Asked) -> None:
        if asked.method == "GET" and "list-type" not in asked.query:
            server.put(asked.key, str(time.monotonic_ns()).encode())

    server.disturb = always
    server.put(f"/{bucket}/acc/reports/1.txt", b"newer")
    with pytest.raises(RunError, match="changed while it was read, 3 times"):
        mirror.account(source, tmp_path)


def test_names_that_are_no_files_never_leave_the_folder(server: Storage, bucket: str, tmp_path: Path) -> None:
    for n, name in enumerate(("reports/..%2F..%2Fout", "reports/a%5Cb", "reports//x")):
        server.put(f"/{bucket}/{n}/account.yml", b"")
        server.put(f"/{bucket}/{n}/{name}", b"bad")
        with pytest.raises(ReportError, match="cannot be the name of a file"):
            mirror.account(Cloud(f"s3://{bucket}/{n}"), tmp_path / "here" / str(n))
    server.put(f"/{bucket}/both/reports/x", b"")
    server.put(f"/{bucket}/both/reports/x/y", b"")
    with pytest.raises(ReportError, match="have one name: reports/x"):
        mirror.account(Cloud(f"s3://{bucket}/both"), tmp_path / "here" / "both")
    with pytest.raises(UsageError, match="nothing lies in"):
        mirror.account(Cloud(f"s3://{bucket}/none"), tmp_path / "here" / "none")
    assert b"bad" not in files(tmp_path).values()


def test_copies_are_private_and_go_unless_a_place_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECON_MIRROR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with mirror.workplace("s3://b/a", "out") as place:
        (place / "account").mkdir()
        assert place.stat().st_mode & 0o077 == 0
        with pytest.raises(HeldError, match="on this machine"), mirror.workplace("s3://b/a", "out"):
            pass
    assert not place.exists()
    monkeypatch.setenv("RECON_MIRROR", str(tmp_path / "kept"))
    with mirror.workplace("s3://b/a", "out") as place:
        (place / "account").mkdir()
        (place / "out" / "left").mkdir()
    assert sorted(path.name for path in place.iterdir() if path.is_dir()) == ["account"]


# ---- the lease


def test_of_two_runs_one_holds_the_account(server: Storage, bucket: str) -> None:
    home = Cloud(f"s3://{bucket}/out/shop")
    held = pytest.raises(HeldError, match="another run holds the account shop")
    with lease.held(home, "one", 60), held, lease.held(home, "two", 60):
        pass
    with lease.held(home, "two", 60) as mine:  # given back: free at once
        mine.renew()


def test_a_lease_is_renewed_while_its_run_lives_and_taken_when_it_is_dead(server: Storage, bucket: str) -> None:
    home = Cloud(f"s3://{bucket}/out/shop")
    with lease.held(home, "one", 1):
        time.sleep(3)
        with pytest.raises(HeldError), lease.held(home, "two", 1):
            pass
    dead = lease.Lease(home, "one", 1)
    over, _ = lease._free(home, "")
    dead._over.set()  # as one that was killed: it gives no sign of life
    dead.take(over)
    with pytest.raises(HeldError), lease.held(home, "two", 1):
        pass
    begun = time.monotonic()
    with lease.held(home, "one", 1):  # another worker of the same call waits for it
        assert time.monotonic() - begun > 0.9
        # the dead one was only asleep: it may write nothing
        dead._over.clear()
        with pytest.raises(RunError, match="is another run's now"):
            dead.renew()
        with pytest.raises(RunError, match="is another run's now"):
            dead.renew()


def test_many_at_once_and_exactly_one_has_it(server: Storage, bucket: str) -> None:
    home, inside, most, refused = Cloud(f"s3://{bucket}/out/shop"), [0], [0], [0]
    lock, begin = threading.Lock(), threading.Barrier(6)
    lease.prove(home)

    def one(n: int) -> None:
        begin.wait()
        try:
            with lease.held(home, f"run {n}", 60):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.5)
                with lock:
                    inside[0] -= 1
        except HeldError:
            with lock:
                refused[0] += 1

    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert refused[0] >= 4


def test_a_storage_that_ignores_conditions_is_refused(server: Storage, bucket: str) -> None:
    def forgets(asked: Asked) -> None:
        for name in ("if-none-match", "if-match"):
            asked.headers.pop(name, None)

    server.disturb = forgets
    with (
        pytest.raises(UsageError, match="ignores the conditions of a write"),
        lease.held(Cloud(f"s3://{bucket}/o"), "", 60),
    ):
        pass


# ---- sending packets


def packet(folder: Path, name: str, content: bytes) -> None:
    (folder / name).mkdir(parents=True)
    for file in ("findings.csv", "packet.html", manifest.NAME):
        (folder / name / file).write_bytes(content + file.encode())


def send(folder: Path, home: Cloud) -> None:
    with lease.held(home, "", 60) as mine:
        sending.send(folder, home, home.objects(), mine)


def test_the_manifest_goes_last_and_nothing_goes_twice(server: Storage, bucket: str, tmp_path: Path) -> None:
    home, folder = Cloud(f"s3://{bucket}/out/shop"), tmp_path / "shop"
    packet(folder, "2026-01-30", b"a")
    packet(folder, "2026-01-30.r2", b"b")
    (folder / "latest.json").write_bytes(b"{}")
    send(folder, home)
    wrote = [
        key.removeprefix(f"/{bucket}/out/shop/")
        for key in server.wrote()
        if not key.endswith((".lock", ".recon-probe"))
    ]
    one = ["findings.csv", "packet.html", "manifest.json"]
    assert wrote == [f"2026-01-30/{n}" for n in one] + [f"2026-01-30.r2/{n}" for n in one] + ["latest.json"]
    server.asked.clear()
    send(folder, home)
    assert [key for key in server.wrote() if not key.endswith((".lock", ".recon-probe"))] == []
    assert server.get(f"/{bucket}/out/shop/2026-01-30/packet.html") == b"apacket.html"


@pytest.mark.parametrize("moment", ["findings.csv", "packet.html", "manifest.json", "latest.json"])
def test_an_upload_that_breaks_off_shows_nothing_and_is_completed(
    server: Storage, bucket: str, tmp_path: Path, moment: str
) -> None:
    home, folder = Cloud(f"s3://{bucket}/out/shop"), tmp_path / "shop"
    packet(folder, "2026-01-30", b"first try ")
    (folder / "latest.json").write_bytes(b"{}")
    dead: list[bool] = []

    def cut(asked: Asked) -> str | None:
        dead.extend([True] * (asked.method == "PUT" and asked.key.endswith(moment)))
        return CUT if dead else None

    server.disturb = cut
    with pytest.raises(RunError, match="cannot be reached or broke off"):
        send(folder, home)
    server.disturb = lambda asked: None
    stands = mirror.packets(home.objects())
    assert stands == (["2026-01-30"] if moment == "latest.json" else [])
    server.send("DELETE", f"/{bucket}/out/shop/.lock")  # in a minute by itself
    if moment != "latest.json":
        for path in (folder / "2026-01-30").iterdir():  # other inputs meanwhile: other bytes
            path.write_bytes(b"second " + path.name.encode())
    send(folder, home)
    assert mirror.packets(home.objects()) == ["2026-01-30"]
    for path in (folder / "2026-01-30").iterdir():
        assert server.get(f"/{bucket}/out/shop/2026-01-30/{path.name}") == path.read_bytes()
    assert server.get(f"/{bucket}/out/shop/latest.json") == b"{}"


def test_a_foreign_object_in_the_place_of_a_packet_is_left_alone(server: Storage, bucket: str, tmp_path: Path) -> None:
    home, folder = Cloud(f"s3://{bucket}/out/shop"), tmp_path / "shop"
    packet(folder, "2026-01-30", b"a")
    server.put(f"/{bucket}/out/shop/2026-01-30/notes.txt", b"mine")
    with pytest.raises(RunError, match="notes.txt exists, but no packet was published there"):
        send(folder, home)
    assert [n for n in server.names(bucket) if "2026" in n] == ["out/shop/2026-01-30/notes.txt"]


def test_a_run_that_lost_its_account_changes_nothing(server: Storage, bucket: str, tmp_path: Path) -> None:
    home, slow, quick = Cloud(f"s3://{bucket}/out/shop"), tmp_path / "slow", tmp_path / "quick"
    packet(slow, "2026-01-30", b"slow")
    packet(quick, "2026-01-30", b"quick")
    with lease.held(home, "slow", 60) as lost:
        there = home.objects()
        server.send("DELETE", f"/{bucket}/out/shop/.lock")  # as if it had slept for longer than its lease
        send(quick, home)
        with pytest.raises(RunError, match="is another run's now"):
            sending.send(slow, home, there, lost)
        with pytest.raises(RunError, match="written by someone else"):  # even where it does not look
            sending.send(slow, home, there, _Blind(home))
    assert server.get(f"/{bucket}/out/shop/2026-01-30/packet.html") == b"quickpacket.html"


class _Blind(lease.Lease):
    def __init__(self, home: Cloud) -> None:
        super().__init__(home, "", 60)

    def renew(self) -> None: ...


def test_what_a_packet_is_compared_with_is_brought_and_no_more(server: Storage, bucket: str, tmp_path: Path) -> None:
    home = Cloud(f"s3://{bucket}/out/shop")
    for name in ("2026-01-01", "2026-01-28", "2026-01-28.r2", "2026-01-31", "2026-02", "2026-02-02"):
        packet(tmp_path / "made", name, name.encode())
    packet(tmp_path / "made", "2026-01-30", b"x")
    (tmp_path / "made" / "2026-01-30" / manifest.NAME).unlink()  # half a packet is none
    server.upload(tmp_path / "made", bucket, "out/shop")
    server.put(f"/{bucket}/out/shop/latest.json", b"{}")

    def brought(name: str) -> list[str]:
        mirror.bring_packets(home, tmp_path / name, name)
        return sorted(files(tmp_path / name))

    def manifests(*names: str) -> list[str]:
        return [*sorted(f"{name}/{manifest.NAME}" for name in names), "latest.json"]

    assert brought("2026-01-31") == manifests("2026-01-28", "2026-01-28.r2", "2026-01-31")
    assert brought("2026-01-29") == manifests("2026-01-28", "2026-01-28.r2")
    assert brought("2026-01") == manifests("2026-01-01", "2026-01-28", "2026-01-28.r2", "2026-01-31")


@pytest.mark.parametrize("damage", [b'{"2026-01-0', b"[]", None, b'{"2026-01-28": "2026-01-28"}'])
def test_a_damaged_pointer_in_a_storage_is_made_anew_from_all_packets_there(
    server: Storage, bucket: str, tmp_path: Path, damage: bytes | None
) -> None:
    home, near = Cloud(f"s3://{bucket}/out/shop"), tmp_path / "near"
    for name in ("2026-01-01", "2026-01-28", "2026-01-28.r2", "2026-01-28.r10", "2026-02"):
        packet(tmp_path / "made", name, name.encode())
    server.upload(tmp_path / "made", bucket, "out/shop")
    if damage is not None:
        server.put(f"/{bucket}/out/shop/latest.json", damage)
    with lease.held(home, "", 60) as mine:
        listed = mirror.bring_packets(home, near, "2026-01-31")  # of all these only the 28th is near
        packet(near, "2026-01-31", b"new")
        publish.point_to_latest(near)
        sending.send(near, home, listed, mine)
    assert json.loads(server.get(f"/{bucket}/out/shop/latest.json")) == {
        "2026-01-01": "2026-01-01", "2026-01-28": "2026-01-28.r10", "2026-01-31": "2026-01-31", "2026-02": "2026-02",
    }  # fmt: skip


# ---- decisions of people


def case(place: str, finding: str, decision: str = "accept") -> int:
    from recon_lib.__main__ import parser

    asked = parser().parse_args(["case", decision, place, finding, "--who", "Ann", "--note", f"about {finding}"])
    return cloud_cases.run(asked)


def recorded(server: Storage, bucket: str, tmp_path: Path) -> list[str]:
    from recon_lib.register import open_register

    (tmp_path / "seen.sqlite").write_bytes(server.get(f"/{bucket}/acc/register.sqlite"))
    register = open_register(tmp_path / "seen.sqlite")
    assert register.verify() == []
    return [event.finding_id or "" for event in register.events()]


A, B, C, D, E = (f"warehouse_lost-{letter * 16}" for letter in "abcde")


def test_a_decision_is_never_lost(
    server: Storage, bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"s3://{bucket}/acc"
    server.put(f"/{bucket}/acc/account.yml", b"account: a\nmarketplace: US\n")
    assert case(place, A) == 0
    assert recorded(server, bucket, tmp_path) == [A]
    assert f"{place}/register.sqlite" in capsys.readouterr().out

    # someone else decides between our reading and our writing
    quick: list[bool] = []

    def meanwhile(asked: Asked) -> None:
        if asked.method == "PUT" and asked.key.endswith("register.sqlite") and not quick:
            quick.append(True)
            assert case(place, B) == 0

    server.disturb = meanwhile
    assert case(place, C) == 0
    server.disturb = lambda asked: None
    assert quick == [True]
    assert recorded(server, bucket, tmp_path) == [A, B, C]
    assert capsys.readouterr().out.count(C) == 1, "told once, when it stands"
    # the very finding that someone else just accepted: the rule of the register holds across machines
    quick.clear()

    def same(asked: Asked) -> None:
        if asked.method == "PUT" and asked.key.endswith("register.sqlite") and not quick:
            quick.append(True)
            assert case(place, D) == 0

    server.disturb = same
    with pytest.raises(UsageError):
        case(place, D)
    server.disturb = lambda asked: DENIED if asked.method == "PUT" else None
    lease._proved.add(place)
    with pytest.raises(UsageError, match="is denied"):
        case(place, E)
    server.disturb = lambda asked: None
    assert recorded(server, bucket, tmp_path) == [A, B, C, D]


def test_a_register_that_was_copied_while_open_is_not_replaced(server: Storage, bucket: str) -> None:
    server.put(f"/{bucket}/acc/account.yml", b"account: a\nmarketplace: US\n")
    server.put(f"/{bucket}/acc/register.sqlite-wal", b"something")
    with pytest.raises(UsageError, match="copied while a program had it open"):
        case(f"s3://{bucket}/acc", A)
    assert "register.sqlite" not in json.dumps(server.wrote())


def test_the_commands_that_only_read_find_what_lies_there(
    server: Storage, bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from recon_lib.__main__ import main

    place, out = f"s3://{bucket}/acc", f"s3://{bucket}/out"
    server.put(f"/{bucket}/acc/account.yml", b"account: a\nmarketplace: US\n")
    assert case(place, A) == 0
    packet(tmp_path / "a", "2026-01-30", b"")
    (tmp_path / "a" / "2026-01-30" / manifest.NAME).write_text('{"inputs": []}')
    server.upload(tmp_path / "a", bucket, "out/a")
    lease._proved.clear()
    server.asked.clear()
    server.disturb = lambda asked: DENIED if asked.method in ("PUT", "POST", "DELETE") else None
    assert main(["case", "verify", place, "--out", out]) == 0
    assert "1 decisions, all as recorded; 0 manifests agree" in capsys.readouterr().out
    assert main(["case", "list", place]) == 0
    assert f"{A}: accepted" in capsys.readouterr().out
    assert main(["case", "export", place, str(tmp_path / "all.csv")]) == 0
    assert A in (tmp_path / "all.csv").read_text()
    assert {asked.method for asked in server.asked} == {"GET"}, "reading needs no right to write"
    server.disturb = lambda asked: None
    assert main(["case", "accept", place, B, "--who", "Ann", "--note", "x", "--out", out]) == 2
    assert f"no packet in {out}/a has the finding {B}" in capsys.readouterr().err
    assert main(["case", "review", place, "2026-01-30", "--who", "Ann", "--out", out]) == 0
    assert main(["case", "restore", place]) == 2
    assert "no second copy" in capsys.readouterr().err
    assert server.wrote().count(f"/{bucket}/acc/register.sqlite") == 1
