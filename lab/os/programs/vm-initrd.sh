#!/bin/sh
# The initrd of a virtual machine of the lab, in the way of NixOS's stage 1: finds the root, mounts it and the
# boot file system, and becomes the system's init. A failure panics where the kernel was told so
# (`boot.panic_on_fail`), else it waits for somebody at the console, for ever.
export PATH=/bin

fail() {
    echo "stage 1: $1"
    case " $(cat /proc/cmdline) " in
        *" boot.panic_on_fail "*) exit 1 ;;
    esac
    echo "stage 1: waiting for somebody at the console"
    while :; do sleep 1000; done
}

mkdir -p /proc /sys /dev /run /root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o mode=755 tmpfs /run
echo "<<< NixOS Stage 1 >>>"
for module in /modules/*.ko; do
    insmod "$module" || fail "cannot load $module"
done

root= init=
for word in $(cat /proc/cmdline); do
    case $word in
        root=*) root=${word#root=} ;;
        init=*) init=${word#init=} ;;
    esac
done

# Tenths of a second.
patience=50
until [ -b "$root" ]; do
    [ "$patience" -gt 0 ] || fail "the root $root did not appear"
    patience=$((patience - 1))
    sleep 0.1
done
mount -t ext4 "$root" /root || fail "cannot mount $root"
# Checked here in NixOS; systemd asks for it by this file.
mkdir -p /run/initramfs /run/lab /root/boot
touch /run/initramfs/fsck-root

# What the lab gives each machine: its lease, its keys.
mount -t ext4 -o ro /dev/vdc /run/lab || fail "the machine has no identity"
cp /run/lab/ssh_host_ed25519_key /run/lab/ssh_host_ed25519_key.pub /root/etc/ssh/
hostname "$(. /run/lab/lease; echo "$HOSTNAME")"
mount -t vfat -o umask=077 /dev/vdb1 /root/boot 2>/dev/null ||
    mount -t ext4 /dev/vdb1 /root/boot || fail "cannot mount the boot file system"

for dir in proc sys dev run; do
    mkdir -p "/root/$dir"
    mount --move "/$dir" "/root/$dir"
done
exec switch_root /root "$init"
