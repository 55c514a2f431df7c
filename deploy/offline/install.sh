#!/usr/bin/env bash
# Installs geo_cluster into this folder. Needs no network and no root. 安装到本文件夹，无需联网，无需 root。
# Takes the newest Python that fits; PYTHON=/path/to/python3.12 ./install.sh takes that one.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
unset PYTHONPATH PYTHONHOME

candidates=(python3.13 python3.12 python3.11 python3)
if [ -n "${PYTHON:-}" ]; then
  candidates=("$PYTHON")
fi
for python in "${candidates[@]}"; do
  if "$python" "$here/install.py" --fits >/dev/null 2>&1; then
    exec "$python" "$here/install.py"
  fi
done

cat "$here/no-python.txt" >&2
for python in "${candidates[@]}"; do
  if command -v "$python" >/dev/null; then
    echo "$python:" >&2
    "$python" "$here/install.py" --fits 2>&1 | tail -n 2 >&2 || true
  fi
done
exit 2
