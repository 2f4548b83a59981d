# Units and generators that Debian's build of systemd brings and NixOS does not
# have, as far as they start by themselves: masked, so that they do not.
{ lib, ... }:
{
  systemd.units =
    lib.genAttrs
      [
        "ldconfig.service"
        "systemd-firstboot.service"
        "systemd-sysusers.service"
        "systemd-journal-catalog-update.service"
        "systemd-importd.socket"
        "systemd-creds.socket"
        "systemd-sysext.socket"
        "systemd-initctl.socket"
        "getty-static.service"
        "run-lock.mount"
        "var-lib-machines.mount"
      ]
      (_: {
        enable = false;
      });

  # The lab mounts the root of its hosts; from inside they cannot.
  systemd.services.systemd-remount-fs.unitConfig.ConditionVirtualization = "!container";

  # Debian's PAM reads it for every session, through /etc/default/locale.
  environment.etc."locale.conf".text = "LANG=C.UTF-8\n";

  systemd.generators = lib.genAttrs [
    "systemd-ssh-generator"
    "systemd-sysv-generator"
    "systemd-rc-local-generator"
    "systemd-import-generator"
    "systemd-gpt-auto-generator"
    "systemd-hibernate-resume-generator"
    "systemd-tpm2-generator"
  ] (_: "/dev/null");
}
