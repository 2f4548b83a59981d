# How systemd's managers, journald and logind are set up; presets and generators.
{ config, lib, ... }:
let
  cfg = config.systemd;
  inherit (lib) mkOption types;
  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  sectionText =
    name: settings: extra:
    lib.systemdUtils.section name settings + extra;
  settingsOption = mkOption {
    type = types.attrsOf types.anything;
    default = { };
    description = "Settings of the section.";
  };
in
{
  options = {
    systemd = {
      settings.Manager = settingsOption;
      extraConfig = lines "Text for the [Manager] section of system.conf.";
      user.extraConfig = lines "Text for the [Manager] section of user.conf.";
      generators = mkOption {
        type = types.attrsOf types.path;
        default = { };
        description = "Generators to add, or to mask with /dev/null.";
      };
    };
    services.journald = {
      extraConfig = lines "Text for journald.conf.";
      storage = mkOption {
        type = types.enum [
          "persistent"
          "volatile"
          "auto"
          "none"
        ];
        default = "persistent";
        description = "Where the journal is kept.";
      };
      rateLimitInterval = mkOption {
        type = types.str;
        default = "30s";
        description = "Interval of the rate limit.";
      };
      rateLimitBurst = mkOption {
        type = types.int;
        default = 10000;
        description = "Messages per interval.";
      };
    };
    services.logind.settings.Login = settingsOption;
  };

  config = {
    environment.etc = {
      "systemd/system.conf".text = sectionText "Manager" cfg.settings.Manager cfg.extraConfig;
      "systemd/user.conf".text = sectionText "Manager" { } cfg.user.extraConfig;
      "systemd/journald.conf".text = sectionText "Journal" {
        Storage = config.services.journald.storage;
        RateLimitInterval = config.services.journald.rateLimitInterval;
        RateLimitBurst = config.services.journald.rateLimitBurst;
      } config.services.journald.extraConfig;
      "systemd/logind.conf".text = sectionText "Login" config.services.logind.settings.Login "";

      # Without it a first boot would enable every unit that some package installs.
      "systemd/system-preset/00-nixos.preset".text = "# Presets would write into the store.\nignore *\n";
      "systemd/user-preset/00-nixos.preset".text = "ignore *\n";
    }
    // lib.mapAttrs' (
      name: path: lib.nameValuePair "systemd/system-generators/${name}" { source = path; }
    ) cfg.generators;

    systemd.settings.Manager = {
      DefaultTimeoutStartSec = lib.mkDefault "90s";
      DefaultTimeoutStopSec = lib.mkDefault "90s";
    };

    systemd.services = {
      systemd-journald = {
        restartTriggers = [ config.environment.etc."systemd/journald.conf".source ];
        stopIfChanged = false;
      };
      # A restart would end the sessions, the operator's own among them.
      systemd-logind.restartIfChanged = false;
      systemd-user-sessions.restartIfChanged = false;
      "user@".restartIfChanged = false;
      "user-runtime-dir@".restartIfChanged = false;
      "getty@".restartIfChanged = false;
      "serial-getty@".restartIfChanged = false;
      "container-getty@".restartIfChanged = false;
      console-getty.restartIfChanged = false;
      # As on NixOS: the bus is reloaded, a restart would cut off everything.
      dbus = {
        restartIfChanged = false;
        reloadIfChanged = true;
      };
      "autovt@".restartIfChanged = false;
    };

    systemd.targets = {
      local-fs.unitConfig.X-StopOnReconfiguration = true;
      remote-fs.unitConfig.X-StopOnReconfiguration = true;
    };
    systemd.targets.network-online.wantedBy = [ "multi-user.target" ];
  };
}
