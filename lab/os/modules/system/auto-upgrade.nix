# system.autoUpgrade: a host that switches by itself, to the system that a file names.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.system.autoUpgrade;
in
{
  options = {
    system.autoUpgrade = {
      enable = lib.mkEnableOption "switching by a timer";
      dates = mkOption {
        type = types.str;
        default = "04:40";
        description = "When.";
      };
      operation = mkOption {
        type = types.enum [
          "switch"
          "boot"
        ];
        default = "switch";
        description = "The action.";
      };
      flake = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Accepted, without effect here: see lab.autoUpgrade.systemFile.";
      };
      flags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Accepted, without effect here.";
      };
      allowReboot = lib.mkEnableOption "a reboot when the kernel changed";
      persistent = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a missed time is made up for.";
      };
      randomizedDelaySec = mkOption {
        type = types.str;
        default = "0";
        description = "A random delay.";
      };
    };
    lab.autoUpgrade.systemFile = mkOption {
      type = types.str;
      default = "/var/lib/lab/upgrade-to";
      description = "Lab: the file that holds the store path of the system to upgrade to.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.services.nixos-upgrade = {
      description = "NixOS Upgrade";
      restartIfChanged = false;
      unitConfig.X-StopOnRemoval = false;
      serviceConfig.Type = "oneshot";
      path = [
        config.nix.package
        pkgs.coreutils
      ];
      script = ''
        [ -r ${config.lab.autoUpgrade.systemFile} ] || exit 0
        system=$(cat ${config.lab.autoUpgrade.systemFile})
        nix-env -p /nix/var/nix/profiles/system --set "$system"
        "$system/bin/switch-to-configuration" ${cfg.operation}
      ''
      + lib.optionalString cfg.allowReboot ''
        booted=$(readlink /run/booted-system/kernel /run/booted-system/initrd /run/booted-system/kernel-modules)
        built=$(readlink "$system/kernel" "$system/initrd" "$system/kernel-modules")
        [ "$booted" = "$built" ] || systemctl reboot
      '';
      startAt = cfg.dates;
    };
    systemd.timers.nixos-upgrade.timerConfig = {
      RandomizedDelaySec = cfg.randomizedDelaySec;
      Persistent = cfg.persistent;
    };
  };
}
