#!/usr/bin/env bash
# From nothing to the kept records of chapter 52, in order.  End it whenever you like (Ctrl-C, or kill this script's
# number) and start it again: trainings resume from their checkpoints, answers from the last ten that were kept.
#
#     nice bash benchmarks/finish_alarm_rules.sh               # into benchmarks/adapters/52; FOLDER=… for another
#     STOP=choice nice bash benchmarks/finish_alarm_rules.sh   # only up to the choice: read dev first
#
# The test is opened only after the prompts were chosen on dev.  answer_alarm_rules.py refuses it otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
FOLDER=${FOLDER:-benchmarks/adapters/52}
export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE

child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null || true; exit 143' INT TERM
run() { "$@" & child=$!; wait "$child"; child=; }  # a signal to this script reaches what it has started
say() { echo "$(date +%H:%M:%S) $*"; }
train() { run "$PYTHON" benchmarks/train_alarm_rules.py --out "$FOLDER" "$@"; }
answer() { run "$PYTHON" benchmarks/answer_alarm_rules.py "$@" --folder "$FOLDER"; }

say "1/6 trainings: three seeds, three sizes each (a trunk with branches), then the controls"
for seed in 0 1 2; do train --seed "$seed" ; done
for seed in 0 1 2; do train --seed "$seed" --counts 512 --mean; done               # the wrong division, on the same batches
for seed in 0 1 2; do train --seed "$seed" --counts 512 --mean --scattered; done   # the same, batches as they came
train --seed 0 --counts 2048 --shuffled  # the answers of other sentences

say "2/6 dev: every prompt, and the adapters that the chapter asks on dev"
answer dev --who "zero-shot" "few-shot" "few-shot, nearest" \
    "zero-shot, schema" "few-shot, schema" "few-shot, nearest, schema" \
    seed0_8192 seed0_512 seed1_512 seed2_512 \
    mean0_512 mean1_512 mean2_512 {mean,seed}{0,1,2}_512" begun" \
    scattered0_512 scattered1_512 scattered2_512
[ "${STOP:-}" != choice ] || { say "stopped before the choice, as asked"; exit; }

say "3/6 choose, of each kind of prompt the best on dev (once: a later choice would not be the one that opened the test)"
[ -e "$FOLDER/choice.json" ] || answer choose
mapfile -t CHOSEN < <("$PYTHON" - "$FOLDER/choice.json" <<'P'
import json, sys
print(*json.load(open(sys.argv[1], encoding="utf-8"))["prompts"].values(), sep="\n")
P
)
[ "${#CHOSEN[@]}" -eq 3 ] || { say "three prompts should have been chosen, not ${#CHOSEN[@]}"; exit 1; }
printf -v names '%s; ' "${CHOSEN[@]}"
say "chosen: $names"

say "4/6 the test, once: chosen prompts, the three large trainings, and the first of them merged"
answer test --who "${CHOSEN[@]}" seed0_8192 seed1_8192 seed2_8192 "seed0_8192 merged Q8_0" "seed0_8192 merged Q4_1"

say "5/6 every second sentence of the test: the smaller trainings of the learning curve, and the shuffled control"
answer test --every 2 --who seed0_2048 seed1_2048 seed2_2048 seed0_512 seed1_512 seed2_512 shuffled0_2048

say "6/6 bundle for the book; paste the entries into src/workbench/own_data.py"
run "$PYTHON" benchmarks/keep_alarm_rules.py --folder "$FOLDER" --out book/data/alarm_contest
say "done"
