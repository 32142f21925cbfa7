#!/usr/bin/env bash
# From chapter 52's adapters to the kept records of chapter 54, in order.  Kill it whenever you like and start it again.
#
#     nice bash benchmarks/finish_forgetting.sh
#
# After chapter 52's trainings; needs benchmarks/adapters/52/seed{0,1,2}_{2048,8192} and seed0_512 (.safetensors, .json).
# Two cores took an hour: replies to rehearse on 4 min, nine trainings 50, replies 15, surprise 3.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE
say() { echo "$(date +%H:%M:%S) $*"; }

say "1/5 the untouched model's replies to rehearse on (once: adapters learn from them)"
[ -e benchmarks/adapters/54/rehearsal.jsonl ] || $PYTHON benchmarks/answer_ordinary.py rehearse
say "2/5 trainings, what the chapter needs most first"
$PYTHON benchmarks/train_forgetting.py
say "3/5 replies of every model"
$PYTHON benchmarks/answer_ordinary.py ask
say "4/5 surprise of the models whose reading is claimed"
$PYTHON benchmarks/answer_ordinary.py surprise
say "5/5 bundle for the book; paste the entries into src/workbench/own_data.py"
$PYTHON benchmarks/answer_ordinary.py bundle
say "done"
