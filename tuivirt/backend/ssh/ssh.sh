#!/bin/sh
# What libvirt starts in ssh's place (its URI's "command"): the same ssh with the same arguments.
#
# libvirt clears the environment, SSH_ASKPASS_REQUIRE too, and takes at most 1,024 bytes of what
# ssh says on standard error; of more it takes nothing. So questions go to our own helper, never to
# the terminal, from which setsid takes it away as well, and what is said goes to a pipe of ours.
here=${0%/*}
# shellcheck source=/dev/null  # command=… python=… helper=…, written by door.py
. "$here/told"
export SSH_ASKPASS="$here/askpass" SSH_ASKPASS_REQUIRE=force
exec 2>"$here/said"
echo $$ >"$here/pid" # Neither exec nor setsid changes it: libvirt's children lead no group.
command -v setsid >/dev/null && exec setsid "$command" "$@"
exec "$command" "$@"
