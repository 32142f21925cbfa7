set -e
cd /work/main
PY=.venv/bin/python
for pair in chapter:56_align_with_preferences solutions:56_align_with_preferences_solutions; do
  src=${pair%%:*}; stem=${pair##*:}
  [ -f drafts/56/$src.txt ] || continue
  $PY drafts/cells.py build drafts/56/$src.txt drafts/56/$stem.ipynb
  .venv/bin/ruff format -q drafts/56/$stem.ipynb; .venv/bin/ruff check drafts/56/$stem.ipynb || true
  $PY drafts/cells.py dump drafts/56/$stem.ipynb > drafts/56/$src.new && mv drafts/56/$src.new drafts/56/$src.txt
  rm drafts/56/$stem.ipynb
done
