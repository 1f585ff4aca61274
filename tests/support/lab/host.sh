#!/bin/sh
# The lab host's first process. Its root is the machine's own, and what it writes is lost.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8
unset CDPATH

say() { echo "lab: $*" >/dev/console; }
empty() { for folder in "$@"; do mount -t tmpfs -o mode=755 tmpfs "$folder" || say "no $folder"; done; }

mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
# As systemd has them: mdevctl reads what libvirt tells it from /dev/stdin.
ln -s /proc/self/fd /dev/fd
for number in 0:stdin 1:stdout 2:stderr; do ln -s "fd/${number%:*}" "/dev/${number#*:}"; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# Of this machine's libvirt the programs and the settings only, none of its guests and networks.
empty /run /var/lib/libvirt /var/log/libvirt /var/cache/libvirt /etc/libvirt/qemu
mkdir -p /run/lock
hostname lab
ip link set lo up
modprobe -a virtio_console vfio_pci
/lib/systemd/systemd-udevd --daemon
udevadm trigger --type=subsystems --action=add
udevadm trigger --type=devices --action=add
say "devices asked for"
"$1" -P -m tests.lab.runner
say "the cases are over, with status $?"
busybox poweroff -f
