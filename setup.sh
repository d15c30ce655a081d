#!/bin/sh
# sh setup.sh              sets up .venv-test: chipsim from this folder, its tests and every extra
# sh setup.sh test         the same, then all tests but the slow ones, and those of the kernels again with the JIT off
# sh setup.sh test ARGS    the same, then pytest ARGS
#
# Lava runs on Python 3.10 only, so a 3.10 is taken wherever one is found: on the PATH, in pyenv, by uv. Otherwise any
# Python 3.10 to 3.13, and the tests say in their last lines that Lava's were left out. CHIPSIM_PYTHON=... chooses another one.
set -u
cd "$(dirname "$0")" || exit 1
venv=.venv-test

say() { printf 'setup: %s\n' "$*"; }

starts() {  # starts PYTHON LOWEST BELOW: it runs, can make environments, and has a version in this range (minor numbers)
    "$1" -c "import sys, venv, ensurepip; sys.exit(not (3, $2) <= sys.version_info[:2] < (3, $3))" >/dev/null 2>&1
}

candidates() {  # one path per line, best first
    printf '%s\n' "$PATH" | tr ':' '\n' | while read -r folder; do printf '%s\n' "$folder/python3.10"; done
    for root in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv"; do printf '%s\n' "$root"/versions/3.10*/bin/python3.10; done
    if command -v uv >/dev/null 2>&1; then uv python find --no-python-downloads 3.10 2>/dev/null; fi
}

choose() {  # print the Python to use, or nothing
    if [ -n "${CHIPSIM_PYTHON:-}" ]; then
        if starts "$CHIPSIM_PYTHON" 10 14; then command -v "$CHIPSIM_PYTHON"; fi
        return
    fi
    found=$(candidates | while read -r python; do
        if [ -x "$python" ] && starts "$python" 10 11; then printf '%s\n' "$python" && break; fi
    done)
    for python in "$found" python3 python3.13 python3.12 python3.11 python; do
        if [ -n "$python" ] && starts "$python" 10 14; then command -v "$python" && return; fi
    done
}

install() {  # make the environment, unless the last one made here still fits
    wanted="$("$python" --version) $(cksum <pyproject.toml)"
    if [ "$(cat "$venv/made-from" 2>/dev/null)" = "$wanted" ] && "$venv/bin/python" -c 'import chipsim' 2>/dev/null; then
        say "$venv is up to date"
        return 0
    fi
    say "installing chipsim and its extras into $venv (1 to 2 minutes)"
    rm -rf "$venv"
    "$python" -m venv "$venv" || return 1
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --editable '.[test,lava,sanafe]' || return 1
    printf '%s\n' "$wanted" >"$venv/made-from"
}

run_all() {  # the kernels also without the JIT, at the same time; what was left out stands in the last lines
    logs=$(mktemp -d) other=
    trap 'kill "$other" 2>/dev/null; rm -rf "$logs"; exit 130' INT TERM HUP
    say "all tests, JIT on, and beside them kernel tests with the JIT off"
    NUMBA_DISABLE_JIT=1 "$venv/bin/python" -m pytest -q -m "kernel and not slow" >"$logs/off" 2>&1 &
    other=$!
    { "$venv/bin/python" -m pytest -q -m "not slow"; echo $? >"$logs/status"; } | tee "$logs/on"
    wait $other
    without_jit=$?
    with_jit=$(cat "$logs/status")
    say "kernel tests, JIT off:"
    if [ $without_jit -eq 0 ]; then tail -n 1 "$logs/off"; else cat "$logs/off"; fi
    say "all tests, JIT on:"
    sed -n '/^-* left out/,$p' "$logs/on"
    rm -r "$logs"
    trap - INT TERM HUP
    [ "$with_jit" -eq 0 ] && [ $without_jit -eq 0 ]
}

if [ $# -gt 0 ] && [ "$1" != test ]; then
    say "unknown argument '$1'; use: sh setup.sh, or sh setup.sh test [pytest arguments]"
    exit 2
fi
python=$(choose)
if [ -z "$python" ]; then
    say "no Python 3.10 to 3.13 with venv and ensurepip found${CHIPSIM_PYTHON:+ at CHIPSIM_PYTHON=$CHIPSIM_PYTHON}"
    exit 1
fi
say "$("$python" --version) at $python"
install || { say "the installation failed"; exit 1; }
if [ $# -eq 0 ]; then
    say "ready: $venv/bin/python -m pytest"
    exit 0
fi
shift
if [ $# -gt 0 ]; then
    exec "$venv/bin/python" -m pytest "$@"
fi
run_all
