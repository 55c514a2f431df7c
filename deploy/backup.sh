#!/usr/bin/env bash
# backup.sh FOLDER KEEP: back the workspace up into FOLDER under the time of now, and keep the newest KEEP backups.
# The workspace is the one of GEO_CLUSTER_WORKSPACE. Older backups go only after the new one is there and was checked.
set -euo pipefail
folder=$1
keep=$2
program=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")/geo-cluster

mkdir -p "$folder"
"$program" backup "$folder/geo-cluster-$(date +%Y-%m-%dT%H%M%S).backup"
find "$folder" -maxdepth 1 -name 'geo-cluster-*.backup' | sort -r | tail -n "+$((keep + 1))" | while read -r old; do
  rm "$old"
done
