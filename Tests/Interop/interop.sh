#!/usr/bin/env bash
# Checks a running cluster with a client that shares no code with it: docs/examples in Python, with
# aioquic for QUIC and TLS and PyNaCl for signatures.
#
#   Tests/Interop/interop.sh [EXECUTABLE]      default: .build/release/swarmoracle
#
# Needs python3 with venv, and PyPI for the two packages. It works in a directory of its own, stops
# what it started and ends with status 0 only if every step did what it should.
set -euo pipefail
# Nothing is to be left behind in docs/examples.
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program="$(realpath "${1:-.build/release/swarmoracle}")"
work="$(mktemp -d)"
cluster="$work/cluster"

clean_up() {
  if [ -f "$cluster/cluster.json" ]; then
    timeout 60 "$program" cluster down --dir "$cluster" >"$work/down.log" 2>&1 || cat "$work/down.log" >&2
  fi
  rm -rf "$work"
}
trap clean_up EXIT

# Runs a step; shows what it wrote only when it fails.
step() {
  local name="$1"
  shift
  if ! timeout 120 "$@" >"$work/output" 2>&1; then
    printf 'failed: %s\n' "$name" >&2
    cat "$work/output" >&2
    return 1
  fi
  printf 'passed: %s\n' "$name"
}

# Runs a step that must end with status 1: it is to be refused, not to break.
refused() {
  local name="$1" status=0
  shift
  timeout 120 "$@" >"$work/output" 2>&1 || status=$?
  if [ "$status" -ne 1 ] || ! grep -q 'refused' "$work/output"; then
    printf 'failed: %s: status %s\n' "$name" "$status" >&2
    cat "$work/output" >&2
    return 1
  fi
  printf 'passed: %s\n' "$name"
}

# Prints one member of a JSON document: member FILE EXPRESSION, with the document as `d`.
member() {
  python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"
}

step 'Python packages' bash -c '
  python3 -m venv "$0/venv" && "$0/venv/bin/pip" install --quiet --disable-pip-version-check \
    "aioquic>=1.2,<2" "pynacl>=1.5,<2"' "$work"
python="$work/venv/bin/python"

step 'four nodes' "$program" cluster up 4 --dir "$cluster" --detach
api="$(member "$cluster/cluster.json" 'd["nodes"][0]["api"]')"
quic="$(member "$cluster/cluster.json" 'd["nodes"][0]["quic"]')"
peer=("$python" docs/examples/lane_client.py --api "$api" --quic "$quic" --timeout 60)

# Something to pull: each write waits for a quorum, so each is a bundle of its own.
agent=("$program" agent)
export SWARMORACLE_API="$api"
step 'an agent' "${agent[@]}" register --name interop --save "$work/token" --consistency quorum
for number in 1 2 3 4 5 6 7 8 9; do
  step "question $number" "${agent[@]}" ask "What is $number times $number?" \
    --token-file "$work/token" --consistency quorum
done

step 'node 4 stops' "$program" cluster stop 4 --dir "$cluster"
step 'an unknown key is refused' "${peer[@]}" --unknown-key --json
member "$work/output" 'd["alert"]' | grep -qx 42
step 'a lane is pulled and checked' "${peer[@]}" --key-file "$cluster/node-4/node.key" --json
cp "$work/output" "$work/lane.json"
[ "$(member "$work/lane.json" 'd["bundles"] >= 10 and d["rootCompared"]')" = True ]

operation="$(member "$work/lane.json" 'd["proofOf"]')"
root="$(member "$work/lane.json" 'd["lanesRoot"]')"
step 'a proof is fetched' "$python" -c '
import sys, urllib.request
open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1], timeout=10).read())
' "$api/v1/operations/$operation/proof" "$work/proof.json"
verify=("$python" docs/examples/verify_proof.py)
step 'the proof holds offline' "${verify[@]}" "$work/proof.json" --lanes-root "$root"
refused 'the proof holds under no other root' \
  "${verify[@]}" "$work/proof.json" --lanes-root "${root//[0-7]/8}"

# Any changed digit of any hexadecimal member must be noticed.
step 'every change of the proof is noticed' "$python" - "$work/proof.json" <<'PYTHON'
import copy, json, sys

sys.path.insert(0, "docs/examples")
from verify_proof import Refused, check_file

proof = json.load(open(sys.argv[1]))
check_file(proof)
changed = 0


def expect_refusal(forged, what):
    global changed
    try:
        check_file(forged)
    except Refused:
        changed += 1
        return
    raise SystemExit(f"a changed {what} was accepted")


def flipped(text, place):
    return text[:place] + ("1" if text[place] == "0" else "0") + text[place + 1 :]


for name in ("operation", "header", "signature", "node", "lane", "laneHead", "lanesRoot"):
    for place in range(len(proof[name])):
        expect_refusal({**proof, name: flipped(proof[name], place)}, name)
for name in ("operationPath", "lanePath", "lanesPath"):
    for index, sibling in enumerate(proof[name]):
        forged = copy.deepcopy(proof)
        forged[name][index] = flipped(sibling, index % 64)
        expect_refusal(forged, name)
    expect_refusal({**proof, name: proof[name] + ["00" * 32]}, name)
    if proof[name]:
        expect_refusal({**proof, name: proof[name][:-1]}, name)
for name in ("index", "number"):
    expect_refusal({**proof, name: proof[name] + 1}, name)
print(changed, "changes were refused")
PYTHON

step 'node 4 starts again' "$program" cluster start 4 --dir "$cluster"
step 'the nodes stop' "$program" cluster down --dir "$cluster"
step 'the stored lanes are sound' "$program" verify "$cluster"
