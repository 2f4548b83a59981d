# The units that NixOS takes from systemd itself, as far as Debian's build has them.
# They are linked into /etc/systemd/system, where a switch looks for changes.
{
aliases = {
  "autovt@.service" = "getty@.service";
  "dbus-org.freedesktop.timedate1.service" = "systemd-timedated.service";
  "dbus-org.freedesktop.locale1.service" = "systemd-localed.service";
  "dbus-org.freedesktop.hostname1.service" = "systemd-hostnamed.service";
};

units = [
  "basic.target" "sysinit.target" "sockets.target" "exit.target" "graphical.target" "multi-user.target"
  "network.target" "network-pre.target" "network-online.target" "nss-lookup.target" "nss-user-lookup.target"
  "time-sync.target" "time-set.target" "first-boot-complete.target" "sigpwr.target" "timers.target" "paths.target"
  "rpcbind.target" "rescue.target" "rescue.service" "emergency.target" "emergency.service"
  "getty.target" "getty-pre.target" "getty@.service" "serial-getty@.service" "console-getty.service" "container-getty@.service"
  "systemd-logind.service" "systemd-user-sessions.service" "user@.service" "user-runtime-dir@.service"
  "systemd-journald.socket" "systemd-journald@.socket" "systemd-journald-varlink@.socket" "systemd-journald.service"
  "systemd-journald@.service" "systemd-journal-flush.service" "systemd-journald-audit.socket"
  "systemd-journald-dev-log.socket" "syslog.socket"
  "kmod-static-nodes.service" "modprobe@.service"
  "systemd-fsck@.service" "systemd-fsck-root.service" "systemd-remount-fs.service" "local-fs.target" "local-fs-pre.target"
  "remote-fs.target" "remote-fs-pre.target" "swap.target" "dev-hugepages.mount" "dev-mqueue.mount"
  "sys-fs-fuse-connections.mount" "sys-kernel-config.mount" "sys-kernel-debug.mount" "systemd-random-seed.service"
  "sleep.target" "suspend.target" "hibernate.target"
  "reboot.target" "systemd-reboot.service" "poweroff.target" "systemd-poweroff.service" "halt.target" "systemd-halt.service"
  "shutdown.target" "umount.target" "final.target" "kexec.target" "soft-reboot.target"
  "systemd-ask-password-console.path" "systemd-ask-password-console.service" "systemd-ask-password-wall.path"
  "systemd-ask-password-wall.service"
  "slices.target" "user.slice" "machine.slice" "machines.target" "systemd-machined.service"
  "systemd-tmpfiles-clean.service" "systemd-tmpfiles-clean.timer" "systemd-tmpfiles-setup.service"
  "systemd-tmpfiles-setup-dev.service" "systemd-tmpfiles-setup-dev-early.service"
  "systemd-sysctl.service" "systemd-timedated.service" "systemd-localed.service" "systemd-hostnamed.service"
  "systemd-binfmt.service" "systemd-exit.service" "systemd-update-done.service"
  "dbus.service" "dbus.socket"
];
}
