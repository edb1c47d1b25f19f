#!/bin/sh
# The gate for any pipeline: sh ci.sh [CAPSULE]. The checkout must bring the history. What the pipeline sets:
#   BRANCH   the protected branch; main if it is not set
#   BASE     what the change is to be merged into, where no variable that 'capsule-tool ci' knows says so
#   FOLDER   the folder of the policy, from where this runs; CAPSULE is named from there
#   SUMMARY  a file, named from there too, for the summary in Markdown
set -eu
cd "${FOLDER:-.}"
capsule=${1:-}
set -- --branch "${BRANCH:-main}"
if [ -n "${SUMMARY:-}" ]; then set -- "$@" --summary "$SUMMARY"; fi
if [ -n "${BASE:-}" ]; then set -- "$@" --base "$BASE"; fi
if [ -n "$capsule" ]; then set -- "$@" --capsule "$capsule"; else set -- "$@" --no-capsule; fi
exec "${CAPSULE_TOOL:-capsule-tool}" ci "$@"
