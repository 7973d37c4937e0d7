#!/usr/bin/env bash
# What the workflow does with submissions. They come from strangers: names are never part of a command,
# files are taken from git as they were committed, and nothing of them is run.
#
#   verify-changed.sh changed REPO           what the merge commit in REPO adds to its first parent: by
#                                            itself, and in a site with those that are there
#   verify-changed.sh touches-verifier REPO  prints true if it changes the workflow or requirements.txt
#   verify-changed.sh all REPO               every submission in the working tree
#   verify-changed.sh site REPO FOLDER       makes the site of all of them
#   verify-changed.sh rejudge REPO           has SAMPLES records of SUBMISSION judged again by JUDGE
#
# Ends with 0 if everything was verified, 2 if something was not, and 1 if it could not be looked at.
set -euo pipefail

NAME='^[a-z0-9][a-z0-9._-]{0,99}$'

refuse() {
  printf 'Error: %s\n' "$1" >&2
  exit 1
}

# Changed paths of the merge commit, each as ":MODES HASHES STATUS" and path, NUL after either.
list_changes() {
  git -C "$1" rev-parse --quiet --verify 'HEAD^2' > /dev/null \
    || refuse "HEAD is no merge of a pull request, so there is nothing to compare it with."
  git -C "$1" diff-tree -r -z --raw --no-renames --no-abbrev --no-commit-id 'HEAD^1' HEAD
}

# What a verifier prints may hold a stranger's words; no line of it is to be a command to GitHub.
without_commands() {
  if [[ -z ${GITHUB_ACTIONS:-} ]]; then
    "$@"
    return
  fi
  local mark code=0
  mark=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$mark"
  "$@" || code=$?
  printf '\n::%s::\n' "$mark"
  return "$code"
}

changed() {
  local repo=$1 meta path name='' other='' mode status
  list_changes "$repo" > "$work/changes"
  while IFS= read -r -d '' meta && IFS= read -r -d '' path; do
    if [[ $path != submissions/*/* ]]; then
      other=$path
      continue
    fi
    path=${path#submissions/}
    if [[ -n $name && $name != "${path%%/*}" ]]; then
      refuse "It changes several submissions ($(printf '%q and %q' "$name" "${path%%/*}")): one for each pull request."
    fi
    name=${path%%/*}
    read -r _ mode _ _ status <<< "$meta"
    inside+=("${path#*/}")
    marks+=("$mode $status")
  done < "$work/changes"
  if [[ -z $name ]]; then
    echo "No submission is changed."
    return
  fi
  [[ -z $other ]] || refuse "It also changes $(printf '%q' "$other"): a submission comes alone, with nothing else."
  check_folder "$repo" "$name"
  mkdir -p "$work/submissions/$name"
  for path in submission.json records.jsonl.zst; do
    # from git, not from the working tree: no filter or line ending is applied
    git -C "$repo" cat-file blob "HEAD:submissions/$name/$path" > "$work/submissions/$name/$path"
  done
  without_commands privacy-tasks verify -- "$work/submissions/$name"
  # and it must fit beside those that are there: the same run, or the same model on the same board,
  # would stop the site after the merge
  shopt -s nullglob
  local beside=() there
  for there in "$repo"/submissions/*/; do
    [[ $there == "$repo/submissions/$name/" ]] || beside+=("$there")
  done
  without_commands privacy-tasks leaderboard -o "$work/site" -- "${beside[@]}" "$work/submissions/$name"
}

# Whether a folder is a new submission and nothing else: `inside` are its changed files, `marks` their
# modes and what was done to them.
check_folder() {
  local repo=$1 name=$2 path number
  [[ $name =~ $NAME ]] \
    || refuse "$(printf '%q' "$name") is no name for a submission: lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit."
  if [[ -n $(git -C "$repo" ls-tree 'HEAD^1' "submissions/$name") ]]; then
    refuse "submissions/$name is there already: a submission is never changed, moved or taken back by a pull request; hand in a new one under another name."
  fi
  for number in "${!inside[@]}"; do
    path=${inside[number]}
    [[ $path == submission.json || $path == records.jsonl.zst ]] \
      || refuse "submissions/$name holds $(printf '%q' "$path"): submission.json and records.jsonl.zst are all."
    [[ ${marks[number]} == '100644 A' ]] \
      || refuse "submissions/$name/$path is no plain new file."
  done
  [[ ${#inside[@]} == 2 ]] \
    || refuse "submissions/$name lacks submission.json or records.jsonl.zst."
}

touches_verifier() {
  local meta path found=false
  list_changes "$1" > "$work/changes"
  while IFS= read -r -d '' meta && IFS= read -r -d '' path; do
    case $path in .github/* | requirements.txt) found=true ;; esac
  done < "$work/changes"
  echo "$found"
}

# The folders of all submissions, into `folders`.
find_all() {
  shopt -s nullglob
  folders=("$1"/submissions/*/)
}

all() {
  local folders
  find_all "$1"
  if [[ ${#folders[@]} == 0 ]]; then
    echo "There is no submission yet."
    return
  fi
  without_commands privacy-tasks verify -- "${folders[@]}"
}

site() {
  local folders
  find_all "$1"
  if [[ ${#folders[@]} == 0 ]]; then
    mkdir -p "$2"
    printf '<!doctype html>\n<title>Contextual privacy</title>\n<p>There is no submission yet.\n' > "$2/index.html"
    return
  fi
  without_commands privacy-tasks leaderboard -o "$2" -- "${folders[@]}"
}

rejudge() {
  [[ ${SUBMISSION:-} =~ $NAME && -d $1/submissions/$SUBMISSION ]] \
    || refuse "There is no submission $(printf '%q' "${SUBMISSION:-}")."
  [[ ${SAMPLES:-} =~ ^[1-9][0-9]{0,4}$ ]] \
    || refuse "$(printf '%q' "${SAMPLES:-}") is no number of records from 1 to 99999."
  [[ ${JUDGE:-} =~ ^[A-Za-z0-9][A-Za-z0-9/._:@-]*$ ]] \
    || refuse "$(printf '%q' "${JUDGE:-}") is no model; name one as in Inspect: PROVIDER/MODEL."
  without_commands privacy-tasks verify --rejudge "$SAMPLES" --judge "$JUDGE" -- "$1/submissions/$SUBMISSION"
}

inside=()
marks=()
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

case ${1:-}/$# in
  changed/2) changed "$2" ;;
  touches-verifier/2) touches_verifier "$2" ;;
  all/2) all "$2" ;;
  site/3) site "$2" "$3" ;;
  rejudge/2) rejudge "$2" ;;
  *) refuse "Usage: verify-changed.sh changed|touches-verifier|all|rejudge REPO, or site REPO FOLDER." ;;
esac
