"""Apache Airflow: all accounts every morning, and the notebook of one account beside it for people who want to step through it.

Needs the providers `standard` (BashOperator) and `papermill`. Put this file into the dags folder and adapt the four paths.
"""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator

KIT = "/opt/recon"
ACCOUNTS = "/srv/recon/accounts"
PACKETS = "/srv/recon/packets"
NOTEBOOKS = "/srv/recon/notebooks"
DAY = "{{ data_interval_start | ds }}"  # the day that has just ended, in the time zone of the DAG

with DAG(
    "recon_daily",
    schedule="30 6 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,  # --catch-up makes the missed days, in order, in one run
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=30), "execution_timeout": timedelta(hours=8)},
):
    # Exit code 1 says that something is owed, open or overdue: that is no failed task. 2 and 3 are.
    packets = BashOperator(
        task_id="packets",
        bash_command=f"{KIT}/.venv/bin/recon daily {ACCOUNTS} --date {DAY} --catch-up --out {PACKETS} || [ $? -eq 1 ]",
    )
    # Publishes nothing (`out` stays empty): it leaves the notebook that ran, to be opened and changed.
    notebook = PapermillOperator(
        task_id="notebook_of_one_account",
        input_nb=f"{KIT}/notebooks/daily_packet.ipynb",
        output_nb=f"{NOTEBOOKS}/my-account-{DAY}.ipynb",
        parameters={"account_folder": f"{ACCOUNTS}/my-account", "as_of": DAY},
        kernel_name="python3",
    )
    packets >> notebook
