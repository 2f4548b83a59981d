# networking.useDHCP: dhcpcd, as a stand-in that reads what the lab leases in /run/lab/lease.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
  lab = config.lab.dhcp;
in
{
  options = {
    networking = {
      useDHCP = mkOption {
        type = types.bool;
        default = true;
        description = "Whether addresses come from the network.";
      };
      dhcpcd = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether dhcpcd asks for them.";
        };
        persistent = lib.mkEnableOption "keeping addresses when dhcpcd stops";
        wait = mkOption {
          type = types.str;
          default = "any";
          description = "Accepted, without effect here.";
        };
        denyInterfaces = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Interfaces it leaves alone.";
        };
        extraConfig = mkOption {
          type = types.lines;
          default = "";
          description = "Accepted, without effect here.";
        };
      };
    };
    lab.dhcp = {
      seconds = mkOption {
        type = types.ints.unsigned;
        default = 0;
        description = "Lab: how long the network takes to answer.";
      };
      timeout = mkOption {
        type = types.ints.unsigned;
        default = 30;
        description = "Lab: seconds after which dhcpcd waits on in the background (`timeout` of dhcpcd.conf).";
      };
      loseAfter = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Lab: seconds after which the address is lost.";
      };
      family = mkOption {
        type = types.enum [
          "both"
          "ipv4"
          "ipv6"
        ];
        default = "both";
        description = "Lab: what is leased.";
      };
    };
  };

  config = lib.mkIf (cfg.useDHCP && cfg.dhcpcd.enable) {
    systemd.services.dhcpcd = {
      description = "DHCP Client";
      wantedBy = [
        "multi-user.target"
        "network-online.target"
      ];
      wants = [ "network.target" ];
      before = [ "network-online.target" ];
      # Stopping it takes the addresses away, so a switch restarts it in one go.
      stopIfChanged = false;
      path = [
        pkgs.iproute2
        pkgs.bash
      ];
      unitConfig.ConditionCapability = "CAP_NET_ADMIN";
      environment = {
        LEASE_SECONDS = toString lab.seconds;
        TIMEOUT = toString lab.timeout;
        LOSE_AFTER = if lab.loseAfter == null then "" else toString lab.loseAfter;
        FAMILY = lab.family;
        DENY_INTERFACES = toString cfg.dhcpcd.denyInterfaces;
        PERSISTENT = if cfg.dhcpcd.persistent then "1" else "";
      };
      serviceConfig = {
        Type = "forking";
        PIDFile = "/run/dhcpcd/pid";
        RuntimeDirectory = "dhcpcd";
        ExecStart = "${pkgs.bash}/bin/bash ${../../programs/dhcpcd.sh}";
        ExecReload = "${pkgs.coreutils}/bin/kill -HUP $MAINPID";
        Restart = "always";
      };
    };
  };
}
