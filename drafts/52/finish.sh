#!/usr/bin/env bash
# From nothing to the kept records of chapter 52, in order.  End it whenever you like (Ctrl-C, or kill this script's
# number) and start it again: trainings resume from their checkpoints, answers from the last ten that were kept.
#
#     nice bash drafts/52/finish.sh            # the folder is benchmarks/adapters/52; FOLDER=… for another one
#     STOP=choice nice bash drafts/52/finish.sh   # up to and without the choice: read dev before anything is opened
#
# The test is opened only after the prompts were chosen on dev.  answer_alarm_rules.py refuses it otherwise.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
FOLDER=${FOLDER:-benchmarks/adapters/52}
ANSWER=drafts/52/answer_alarm_rules.py
[ -e "$ANSWER" ] || ANSWER=benchmarks/answer_alarm_rules.py
KEEP=drafts/52/keep_alarm_rules.py
[ -e "$KEEP" ] || KEEP=benchmarks/keep_alarm_rules.py
export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE

child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null || true; exit 143' INT TERM
run() { "$@" & child=$!; wait "$child"; child=; }  # a signal to this script reaches what it has started
say() { echo "$(date +%H:%M:%S) $*"; }
train() { run "$PYTHON" benchmarks/train_alarm_rules.py --out "$FOLDER" "$@"; }
answer() { run "$PYTHON" "$ANSWER" "$@" --folder "$FOLDER"; }

say "1/6 trainings: three seeds, three sizes each (a trunk with branches), then the controls"
for seed in 0 1 2; do train --seed "$seed" ; done
train --seed 2 --counts 512 --mean       # the wrong division, on the very batches of seed 2, where it was met
train --seed 0 --counts 512 --mean       # and is it a freak of that seed?
train --seed 1 --counts 512 --mean
train --seed 0 --counts 512 --shuffled   # the answers of other sentences

say "2/6 dev: every prompt, and the adapters that the chapter asks on dev"
answer dev --who "zero-shot" "few-shot" "few-shot, nearest" \
    "zero-shot, schema" "few-shot, schema" "few-shot, nearest, schema" \
    seed0_8192 seed0_512 seed1_512 seed2_512 \
    mean0_512 mean1_512 mean2_512 "mean2_512 begun"
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
answer test --every 2 --who seed0_2048 seed1_2048 seed2_2048 seed0_512 seed1_512 seed2_512 shuffled0_512

say "6/6 bundle for the book; paste the entries into src/workbench/own_data.py"
run "$PYTHON" "$KEEP" --folder "$FOLDER" --out book/data/alarm_contest
say "done"
