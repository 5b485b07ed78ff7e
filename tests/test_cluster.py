"""A real dask scheduler and workers, each a process of its own, on folders and on a storage; a worker dies in the middle."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recon_lib import account_job, warm
from recon_lib.account_job import Job
from tests.pages import ROOT
from tests.s3_server import Asked, bucket_of, environment, running
from tests.test_away import there, tree
from tests.test_daily import DAY, NOW, lines, make, until


@contextmanager
def dask(place: Path, environment: dict[str, str]) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A real scheduler and three workers, each a process of its own: the address, and the workers."""
    local = ["--host", "127.0.0.1", "--no-dashboard"]
    with (place / "dask.log").open("w") as log:
        began = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", *local, "--port", "0", "--scheduler-file", str(place / "s.json")],
            cwd=place, stdout=log, stderr=log, text=True,
        )  # fmt: skip
        running = [began]
        try:
            until(lambda: (place / "s.json").is_file() and (place / "s.json").read_text().endswith("}"), running)
            address = json.loads((place / "s.json").read_text())["address"]
            running += [
                subprocess.Popen(
                    [sys.executable, "-m", "distributed.cli.dask_worker", address, *local, "--no-nanny", "--nthreads", "1",
                     "--local-directory", str(place / f"w{n}")],
                    cwd=ROOT, env=environment | {"AWS_SDK_UA_APP_ID": f"worker{n}"}, stdout=log, stderr=log, text=True,
                )
                for n in range(3)
            ]  # fmt: skip
            yield address, running[1:]
        finally:
            for process in running:
                process.kill()
                process.wait()


def packets(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in found.items() if name.count("/") == 2}


def test_a_cluster_with_a_worker_killed_in_the_middle(tmp_path: Path) -> None:
    accounts, out, alone = tmp_path / "accounts", tmp_path / "out", tmp_path / "alone"
    warm.keep(ROOT)
    for name in ("a", "b", "c"):
        account_job.run_account(Job(make(accounts / name, name, owed=True), alone, DAY, False, NOW, tmp_path / "store"))
    warm.let_go()
    undisturbed = packets(tree(alone))
    assert len(undisturbed) == 3 * 10

    with running(tmp_path / "moto.log") as server, bucket_of(server, tmp_path) as bucket:
        known = environment(server, tmp_path)
        server.upload(accounts, bucket, "acc")
        url = (f"s3://{bucket}/acc", f"s3://{bucket}/out")

        def call(source: object, target: object) -> subprocess.Popen[str]:
            asked = ["daily", str(source), "--date", DAY, "--out", str(target), "--scheduler", address]
            return subprocess.Popen([sys.executable, "-m", "recon_lib", *asked], cwd=ROOT, env=known, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip

        def ended(run: subprocess.Popen[str]) -> None:
            said, told = run.communicate(timeout=240)
            assert run.returncode == 1, told
            states = {name: line["state"] for name, line in lines(told).items() if name}
            assert states == dict.fromkeys("abc", "published")
            assert len(said.splitlines()) == 3

        with dask(tmp_path, known) as (address, workers):
            run = call(accounts, out)
            until(lambda: list(out.glob("*/.building-*")), [*workers, run])
            workers[0].kill()
            workers[0].wait()
            ended(run)
            assert packets(tree(out)) == undisturbed

            sending: list[str] = []

            def slow(asked: Asked) -> None:  # the first one that sends is held in the middle of it
                if asked.method == "PUT" and asked.key.endswith("packet.html") and not sending:
                    sending.append(asked.headers["user-agent"])
                    time.sleep(3)

            server.disturb = slow
            run = call(*url)
            until(lambda: sending, [run, *workers[1:]])
            (number,) = re.findall(r"app/worker(\d)", sending[0])  # this one, in the middle of its upload
            workers[int(number)].kill()
            workers[int(number)].wait()
            ended(run)
            assert packets(there(server, bucket)) == undisturbed
