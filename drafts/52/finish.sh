#!/usr/bin/env bash
# From nothing to the kept records of chapter 52, in order.  Kill it whenever you like and start it again: trainings
# resume from their checkpoints, answers from the last ten that were kept.
#
#     nice bash drafts/52/finish.sh            # the folder is benchmarks/adapters/52; FOLDER=… for another one
#
# The test is opened only after the prompts were chosen on dev.  answer_alarm_rules.py refuses it otherwise.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-.venv/bin/python}
FOLDER=${FOLDER:-benchmarks/adapters/52}
export HF_HUB_OFFLINE=1 OMP_WAIT_POLICY=PASSIVE

say() { echo "$(date +%H:%M:%S) $*"; }
train() { $PYTHON benchmarks/train_alarm_rules.py --out "$FOLDER" "$@"; }
answer() { $PYTHON benchmarks/answer_alarm_rules.py "$@" --folder "$FOLDER"; }

say "1/6 trainings: three seeds, three sizes each (a trunk with branches), then the two controls"
for seed in 0 1 2; do train --seed "$seed" --counts 128 512 2048; done
train --seed 2 --counts 512 --mean       # the wrong loss, on the very batches of seed 2
train --seed 0 --counts 512 --shuffled   # the answers of other sentences

say "2/6 dev: every prompt, and the adapters that the chapter asks on dev"
answer dev
answer dev --who seed0_2048 seed1_2048 seed2_2048 seed2_512 mean2_512 "mean2_512 begun"

say "3/6 choose, of each kind of prompt the best on dev (once: a later choice would not be the one that opened the test)"
[ -e "$FOLDER/choice.json" ] || answer choose
mapfile -t CHOSEN < <($PYTHON - "$FOLDER/choice.json" <<'P'
import json, sys
print(*dict.fromkeys(json.load(open(sys.argv[1]))["prompts"].values()), sep="\n")
P
)
say "chosen: ${CHOSEN[*]}"

say "4/6 the test, once: chosen prompts, then adapters beside the base"
answer test --who "${CHOSEN[@]}" \
    seed0_2048 seed1_2048 seed2_2048 seed0_512 seed1_512 seed2_512 seed0_128 seed1_128 seed2_128 \
    shuffled0_512 mean2_512 "mean2_512 begun"

say "5/6 the test: the first seed merged, a file for each format"
for kind in F16 Q8_0 Q4_1; do answer test --who "seed0_2048 merged $kind"; done

say "6/6 bundle for the book; paste the entries into src/workbench/data.py"
if [ -e benchmarks/keep_alarm_rules.py ]; then KEEP=benchmarks/keep_alarm_rules.py; else KEEP=drafts/52/keep_alarm_rules.py; fi
$PYTHON $KEEP --folder "$FOLDER" --out book/data/alarm_contest
say "done"
