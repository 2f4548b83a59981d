# The host's name and what it knows of others' names.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.networking;
  list =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "";
      description = "The host's name; empty: the one it is given by the network.";
    };
    hostId = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Accepted, without effect here.";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The host's domain.";
    };
    search = list "Domains to look names up in.";
    nameservers = list "Servers to ask for names.";
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Names by address.";
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
      description = "Text at the end of /etc/hosts.";
    };
  };

  config = {
    networking.hosts = {
      "127.0.0.1" = [ "localhost" ];
      "::1" = [ "localhost" ];
      "127.0.0.2" = lib.optional (cfg.hostName != "") cfg.hostName;
    };
    environment.etc = {
      hosts.text =
        lib.concatLines (
          lib.mapAttrsToList (address: names: "${address} ${toString names}") (
            lib.filterAttrs (_: names: names != [ ]) cfg.hosts
          )
        )
        + cfg.extraHosts;
      hostname = lib.mkIf (cfg.hostName != "") { text = cfg.hostName + "\n"; };
      "resolv.conf" = lib.mkIf (cfg.nameservers != [ ]) {
        text =
          lib.optionalString (cfg.search != [ ]) "search ${toString cfg.search}\n"
          + lib.concatMapStrings (s: "nameserver ${s}\n") cfg.nameservers;
      };
    };
    system.activationScripts.hostname = {
      deps = [ "etc" ];
      text =
        if cfg.hostName != "" then
          "hostname ${cfg.hostName}"
        else
          ''
            # The name comes from the lease. Debian's own file would win over it.
            [ -L /etc/hostname ] || rm -f /etc/hostname
            if [ -r /run/lab/lease ]; then
              ( . /run/lab/lease; hostname "$HOSTNAME"; printf '%s\n' "$HOSTNAME" > /etc/hostname )
            fi
          '';
    };
  };
}
