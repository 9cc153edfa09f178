#!/bin/sh
# Installs the second client exactly as locked; the lock names no registry, so the one npm is set to is asked.
set -eu
cd "$(dirname "$0")"
exec npm ci --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error
