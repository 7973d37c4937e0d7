#!/usr/bin/env bash
# The example of docs/submitting.md: five scripted models of known conduct, from run to site, offline,
# in about two minutes. Writes logs, submissions and site into the folder that is named (example,
# unless told); with a second word, picture, also the one of this page, by Chromium.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-example}
mkdir -p "$out/submissions"

run() { # NAME, then the model and what it is told
  local name=$1
  shift
  inspect eval privacy_tasks/agentic privacy_tasks/probing -T judge=lexical \
    --model "$@" --log-dir "$out/logs/$name" --display none --no-log-realtime
}

publish() { # NAME, then what no log says
  local name=$1
  shift
  privacy-tasks submit "$out/logs/$name" -o "$out/submissions/$name" --access reference --revision 1 "$@"
}

run discreet reference/discreet
run leaky reference/leaky
run silent reference/silent
run base reference/mixed -M leak=0.05 -M share=0.9 -M seed=1
run tuned reference/mixed -M leak=0.4 -M share=0.9 -M seed=2

publish discreet
publish leaky
publish silent
publish base --name example/base
# a script that leaks more often stands for a model that was tuned
publish tuned --name example/tuned --base example/base@1 --tuning-data "nothing: it is a script"

privacy-tasks verify "$out"/submissions/*
privacy-tasks leaderboard "$out"/submissions/* -o "$out/site" --title "An example"

if [ "${2:-}" = picture ] && command -v chromium > /dev/null; then
  chromium --headless --no-sandbox --disable-gpu --disable-background-networking --hide-scrollbars \
    --window-size=1280,1480 --screenshot="$here/site.png" "file://$(cd "$out" && pwd)/site/index.html" 2> /dev/null
fi
