#!/bin/sh
# What a container runs. A new relay admits by token, as an installed one does; its first token stands in the container's log.
set -eu
relay=$(dirname "$0")/skein-relay
if [ "${1:-}" = run ] && [ ! -e "$SKEIN_RELAY_DATA_DIR/identity.seed" ]; then "$relay" init --mode token >&2; fi
exec "$relay" "$@"
