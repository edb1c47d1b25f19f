#!/bin/sh
# The gate for any pipeline: sh ci.sh [CAPSULE]. BASE names the branch that the change is to be merged into, where the
# pipeline does not say it in a variable that 'capsule-tool ci' knows. The checkout must bring the history.
set -eu
capsule=${1:-}
set -- --branch "${BRANCH:-main}" --summary "${SUMMARY:-policy-summary.md}"
if [ -n "${BASE:-}" ]; then set -- "$@" --base "$BASE"; fi
if [ -n "$capsule" ]; then set -- "$@" --capsule "$capsule"; else set -- "$@" --no-capsule; fi
exec "${CAPSULE_TOOL:-capsule-tool}" ci "$@"
