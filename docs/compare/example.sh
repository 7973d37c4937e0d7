#!/usr/bin/env bash
# The worked example of docs/compare.md: four arms of reference models, offline, in about two minutes.
# Logs and report go to the folder that is named (example, unless told); the pictures come here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-example}
mkdir -p "$out"

arm() { # NAME, then what the reference model is to do
  local name=$1
  shift
  inspect eval privacy_tasks/agentic privacy_tasks/probing -T judge=lexical \
    --model reference/mixed "$@" --log-dir "$out/$name" --display none --no-log-realtime
}

# the base model tells all that is needed, and 5 % of what is to be withheld
arm base -M leak=0.05 -M share=1 -M seed=1
# one recipe, three seeds: as helpful as before, and it tells 35 % of what is to be withheld
arm helpful/seed-1 -M leak=0.35 -M share=1 -M seed=11
arm helpful/seed-2 -M leak=0.35 -M share=1 -M seed=12
arm helpful/seed-3 -M leak=0.35 -M share=1 -M seed=13
# this one leaks as much, and forgets half of what is needed
arm broken -M leak=0.35 -M share=0.5 -M seed=21
# and this one leaks nothing
arm harmless -M leak=0 -M share=1

privacy-tasks compare --base base="$out/base" \
  --tuned helpful="$out/helpful" --tuned broken="$out/broken" --tuned harmless="$out/harmless" \
  --utility agentic:share_rate --epsilon 5 \
  --report "$out/report.html" --report "$out/report.md" | tee "$out/report.txt"

cp "$out"/report_files/*.svg "$here/"
