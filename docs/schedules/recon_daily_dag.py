"""Apache Airflow: all accounts every morning, and the notebook of one account beside it for people who want to step through it.

Needs the providers `standard` (BashOperator) and `papermill`. Put this file into the dags folder and adapt the names below.
The notebook runs with the kit's own interpreter; say once to Airflow's environment where that is:

    /opt/recon/.venv/bin/python -m ipykernel install --prefix /path/of/airflow/venv --name recon
"""

from datetime import timedelta

import pendulum
from airflow import DAG
from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator

KIT = "/opt/recon"
ACCOUNTS = "/srv/recon/accounts"
PACKETS = "/srv/recon/packets"
NOTEBOOKS = "/srv/recon/notebooks"
ZONE = "America/Los_Angeles"  # of the account whose notebook is kept
# The day before the run, there. Not the start of the data interval: since Airflow 3 that is the moment of the run itself.
DAY = "{{ data_interval_end.in_timezone('" + ZONE + "').subtract(days=1).strftime('%Y-%m-%d') }}"

with DAG(
    "recon_daily",
    schedule="30 6 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,  # --catch-up makes the missed days, in order, in one run
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=30), "execution_timeout": timedelta(hours=8)},
):
    # Yesterday in each account's own time zone. Exit code 1 says that something is owed, open or overdue:
    # that is no failed task. 2 and 3 are.
    packets = BashOperator(
        task_id="packets",
        bash_command=f"{KIT}/.venv/bin/recon daily {ACCOUNTS} --date yesterday --catch-up --out {PACKETS} || [ $? -eq 1 ]",
    )
    # Publishes nothing (`out` stays empty): it leaves the notebook that ran, to be opened and changed.
    notebook = PapermillOperator(
        task_id="notebook_of_one_account",
        input_nb=f"{KIT}/notebooks/daily_packet.ipynb",
        output_nb=f"{NOTEBOOKS}/my-account-{DAY}.ipynb",
        parameters={"account_folder": f"{ACCOUNTS}/my-account", "as_of": DAY},
        kernel_name="recon",
    )
    packets >> notebook
