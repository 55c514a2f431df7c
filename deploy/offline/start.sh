#!/usr/bin/env bash
# Starts the app at http://localhost:8501. Options go along: ./start.sh --port 8502 启动网页应用，参数原样传递
set -euo pipefail
exec "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/geo-cluster" app "$@"
