"""The schedule files work: their command lines run, and they name only options that exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import jinja2
import pytest

from recon_lib.__main__ import parser
from tests.faults import account
from tests.pages import ROOT

FILES = ROOT / "docs" / "schedules"


def unit(name: str) -> dict[str, str]:
    lines = (FILES / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def cron() -> tuple[str, str]:
    (line,) = [line for line in (FILES / "recon-daily.cron").read_text().splitlines() if re.match(r"[0-9*]", line)]
    fields = line.split(maxsplit=6)
    return " ".join(fields[:5]), fields[6]


def dag() -> dict[str, dict[str, Any]]:
    """Task id -> arguments, with stand-ins for Airflow's classes."""
    made: dict[str, dict[str, Any]] = {}

    class Operator:
        def __init__(self, **given: Any) -> None:
            made[given["task_id"]] = given

        def __rshift__(self, other: Operator) -> Operator:
            return other

    class DAG:
        def __init__(self, name: str, **given: Any) -> None:
            made[name] = given

        def __enter__(self) -> None: ...

        def __exit__(self, *problem: object) -> None: ...

    names = {
        "airflow": {"DAG": DAG},
        "pendulum": {"datetime": lambda *when, tz: (when, tz)},
        "airflow.providers.papermill.operators.papermill": {"PapermillOperator": Operator},
        "airflow.providers.standard.operators.bash": {"BashOperator": Operator},
    }
    for name, content in names.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(content)
    try:
        exec(compile((FILES / "recon_daily_dag.py").read_text(), "recon_daily_dag.py", "exec"), {})
    finally:
        for name in names:
            del sys.modules[name]
    return made


@pytest.mark.skipif(os.name != "posix", reason="systemd and cron")
def test_the_lines_of_systemd_and_cron_make_packets(tmp_path: Path) -> None:
    (tmp_path / "accounts").mkdir()
    for name in ("a", "b"):
        account(tmp_path / "accounts" / name, name)
    (tmp_path / "recon").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m recon_lib "$@"\n')
    (tmp_path / "recon").chmod(0o755)
    environment = {**os.environ, "RECON_STORE": str(tmp_path / "store"), "PYTHONPATH": str(ROOT)}

    def here(line: str) -> str:
        return line.replace("/opt/recon/.venv/bin/recon", str(tmp_path / "recon")).replace("/srv/recon", str(tmp_path))

    service = unit("recon-daily.service")
    first = subprocess.run(
        shlex.split(here(service["ExecStart"])), capture_output=True, text=True, check=False, env=environment
    )
    assert first.returncode == 1, first.stderr
    assert service["SuccessExitStatus"] == "1"
    assert len(list((tmp_path / "packets").glob("*/*/packet.html"))) == 2
    times, line = cron()
    assert times == "30 6 * * *"
    assert "%" not in line.replace("\\%", ""), "cron would cut the line here"
    second = subprocess.run(["/bin/sh", "-c", here(line)], capture_output=True, text=True, check=False, env=environment)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", ""), "owed money is no mail"
    assert "(unchanged)" in (tmp_path / "last-packets.txt").read_text()
    (tmp_path / "accounts" / "b" / "account.yml").unlink()
    third = subprocess.run(["/bin/sh", "-c", here(line)], capture_output=True, text=True, check=False, env=environment)
    assert "there is no account.yml" in third.stdout, "what fails is mailed"


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for name in ("recon-daily.service", "recon-daily.timer"):
        text = (FILES / name).read_text().replace("/opt/recon/.venv/bin/recon", "/bin/true")
        (tmp_path / name).write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.M))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / n) for n in ("recon-daily.service", "recon-daily.timer"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "recon-daily" in line]
    assert told == []
    calendar = subprocess.run(
        ["systemd-analyze", "calendar", unit("recon-daily.timer")["OnCalendar"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert calendar.returncode == 0, calendar.stderr


def test_every_schedule_names_options_that_exist() -> None:
    xml = (FILES / "recon-daily-task.xml").read_text(encoding="utf-8")
    task = ElementTree.fromstring(xml.replace(' encoding="UTF-8"', ""))
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    arguments = task.findtext(f"{space}Actions/{space}Exec/{space}Arguments")
    assert arguments is not None
    tasks = dag()
    bash = tasks["packets"]["bash_command"]
    lines = [
        shlex.split(unit("recon-daily.service")["ExecStart"])[1:], shlex.split(cron()[1].split(" >")[0])[1:], arguments.split(),
        shlex.split(bash.split(" ||")[0])[1:],
    ]  # fmt: skip
    for line in lines:
        asked = parser().parse_args(line)
        assert (asked.command, asked.catch_up) == ("daily", True)
    assert tasks["recon_daily"]["catchup"] is False


def test_the_airflow_notebook_gets_parameters_that_it_has() -> None:
    from recon_lib.packet import NOTEBOOK, PARAMETERS

    task = dag()["notebook_of_one_account"]
    assert set(task["parameters"]) <= set(PARAMETERS)
    assert task["input_nb"].endswith(f"notebooks/{NOTEBOOK}")


class Moment(datetime):
    """What the templates of Airflow get: a time with the two methods that the day is worked out with."""

    def in_timezone(self, name: str) -> Moment:
        return Moment.fromtimestamp(self.timestamp(), ZoneInfo(name))

    def subtract(self, days: int) -> datetime:
        return self - timedelta(days=days)


def test_the_airflow_notebook_is_of_the_day_that_has_ended_where_the_account_is() -> None:
    template = jinja2.Template(dag()["notebook_of_one_account"]["parameters"]["as_of"])
    # 06:30 in Los Angeles, in winter and in summer; since Airflow 3 start and end of the interval are this very moment
    assert template.render(data_interval_end=Moment(2026, 2, 1, 14, 30, tzinfo=UTC)) == "2026-01-31"
    assert template.render(data_interval_end=Moment(2026, 7, 1, 13, 30, tzinfo=UTC)) == "2026-06-30"
    assert template.render(data_interval_end=Moment(2026, 2, 1, 6, 30, tzinfo=UTC)) == "2026-01-30", "evening there"
    assert dag()["recon_daily"]["start_date"] == ((2026, 1, 1), "America/Los_Angeles")
