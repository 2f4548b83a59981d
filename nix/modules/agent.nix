# The part of Lockstep that a system may carry: the agent, and the start unit that takes up at boot what was begun
# before. With it a reboot into the system is guarded: whoever boots it and is not confirmed goes back by itself.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.lockstep;
in
{
  options.services.lockstep = {
    enable = lib.mkEnableOption "Lockstep's agent and its start unit, which make reboots into this system guarded";
    package = mkOption {
      type = types.package;
      description = "The package with `bin/lockstep-agent`, such as `packages.<system>.agent` of Lockstep's flake.";
    };
    panicTimeout = mkOption {
      type = types.nullOr types.int;
      default = 30;
      description = ''
        Seconds after which a system that dies while it boots starts again by itself, so that the boot loader can
        start the one before it. Null: it stays as it is and somebody has to switch it off.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    boot.kernelParams = lib.mkIf (cfg.panicTimeout != null) [
      "panic=${toString cfg.panicTimeout}"
      # What goes wrong in the initrd is a panic, too, and no question that nobody answers.
      "boot.panic_on_fail"
    ];

    systemd.services.lockstep-boot = {
      description = "Lockstep: what was begun before this boot";
      # In every way that a system can come up, with its file systems or without.
      wantedBy = [
        "sysinit.target"
        "emergency.target"
        "rescue.target"
      ];
      unitConfig = {
        DefaultDependencies = false;
        IgnoreOnIsolate = true;
        # Only the journal has to be there; what else is mounted, or not, does not matter.
        WantsMountsFor = "/nix/var";
        # A switch may start it and never stops it: it may be what watches that switch.
        X-StopOnRemoval = false;
        X-StopOnReconfiguration = false;
      };
      restartIfChanged = false;
      stopIfChanged = false;
      serviceConfig = {
        # The boot goes on at once, though a confirmation may take minutes.
        Type = "exec";
        ExecStart = "${cfg.package}/bin/lockstep-agent resume";
        # Once for each boot: what pulls it in is started by switches, too.
        RemainAfterExit = true;
        OOMScoreAdjust = -900;
      };
    };
  };
}
