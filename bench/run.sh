#!/usr/bin/env bash
# The benchmark: parse floors, peers and the kit's own jobs, round robin, as ratios. Never part of the tests.
#   bench/run.sh [PYTHON] [ROWS] [ROUNDS] [fast|all] [match|fba]      default: 1000000 rows, 3 rounds, fast, both jobs
# Peers and the data generator lie beside the repository in ../shared/bench; without them there is nothing to compare.
# BENCH_ENVS: environments (made when absent), BENCH_DATA: data and results. PYTHON: one that has the kit installed.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(dirname "$here")"
peers="$(dirname "$root")/shared/bench"
unset PYTHONDONTWRITEBYTECODE # modules are compiled once, as for any user, not in every run
export BENCH_ENVS="${BENCH_ENVS:-${TMPDIR:-/tmp}/bench-envs}" BENCH_DATA="${BENCH_DATA:-${TMPDIR:-/tmp}/bench-data}"
if [[ ! -d $peers ]]; then
    echo "no peers in $peers: nothing to compare with"
    exit 0
fi
kit="$BENCH_ENVS/kit/bin/python"
if [[ ${1:-} == */* ]]; then
    kit="$1"
    shift
fi
if [[ ! -x $kit ]]; then
    python3 -m venv "$BENCH_ENVS/kit"
    "$BENCH_ENVS/kit/bin/python" -m pip install -q --disable-pip-version-check -e "$root"
fi
if [[ ! -x $BENCH_ENVS/bench/bin/python ]]; then
    python3 -m venv "$BENCH_ENVS/bench"
    "$BENCH_ENVS/bench/bin/python" -m pip install -q --disable-pip-version-check polars==2.1.0 numpy==2.4.6 duckdb==2.0.0 pandas==3.1.1 pyarrow==26.0.1
fi
exec "$kit" "$here/compare.py" "$peers" "${1:-1000000}" "${2:-3}" "${3:-fast}" ${4:+"$4"}
