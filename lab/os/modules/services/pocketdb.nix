# services.pocketdb, the pocket's own: a small database with state that a newer
# version migrates and an older one refuses, as real databases do.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.pocketdb;
in
{
  options.services.pocketdb = {
    enable = lib.mkEnableOption "pocketdb";
    package = lib.mkPackageOption pkgs "python3" { };
    schema = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "The version of the data; data of a newer one are refused.";
    };
    port = mkOption {
      type = types.port;
      default = 5400;
      description = "The port on the loopback interface.";
    };
    settings = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Its configuration file; a change is reloaded.";
    };
    lab.startSeconds = mkOption {
      type = types.ints.unsigned;
      default = 0;
      description = "Lab: how long it takes to start.";
    };
    lab.stopSeconds = mkOption {
      type = types.ints.unsigned;
      default = 0;
      description = "Lab: how long it takes to stop.";
    };
  };

  config = lib.mkIf cfg.enable {
    users.users.pocketdb = {
      isSystemUser = true;
      group = "pocketdb";
    };
    users.groups.pocketdb = { };
    environment.etc."pocketdb.conf".text = lib.concatLines (
      lib.mapAttrsToList (name: value: "${name} = ${value}") cfg.settings
    );

    systemd.services.pocketdb = {
      description = "Pocket Database";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      reloadTriggers = [ config.environment.etc."pocketdb.conf".source ];
      environment = {
        SCHEMA = toString cfg.schema;
        PORT = toString cfg.port;
        START_SECONDS = toString cfg.lab.startSeconds;
        STOP_SECONDS = toString cfg.lab.stopSeconds;
      };
      serviceConfig = {
        Type = "notify";
        User = "pocketdb";
        Group = "pocketdb";
        StateDirectory = "pocketdb";
        ExecStart = "${cfg.package}/bin/python3 -I ${../../programs/pocketdb.py}";
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
      };
    };
  };
}
