#!/bin/sh
# What ssh runs to ask something: $1 is the question, the answer goes to standard output.
here=${0%/*}
# shellcheck source=/dev/null
. "$here/told"
exec "$python" -I -S "$helper" "$here/socket" "$@"
