# programs.ssh: the system's ssh_config and known hosts.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.programs.ssh;
  host = types.submodule (
    { name, config, ... }:
    {
      options = {
        hostNames = mkOption {
          type = types.listOf types.str;
          default = [ name ] ++ config.extraHostNames;
          description = "Names and addresses of the host.";
        };
        extraHostNames = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Names besides the attribute's.";
        };
        certAuthority = lib.mkEnableOption "trusting certificates of this key";
        publicKey = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The host's key.";
        };
      };
    }
  );
  known =
    h:
    "${lib.optionalString h.certAuthority "@cert-authority "}${lib.concatStringsSep "," h.hostNames} ${h.publicKey}";
in
{
  options.programs.ssh = {
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text of ssh_config.";
    };
    knownHosts = mkOption {
      type = types.attrsOf host;
      default = { };
      description = "Keys of hosts.";
    };
    startAgent = lib.mkEnableOption "an agent for each session (accepted, without effect here)";
  };

  config.environment.etc = {
    "ssh/ssh_config".text = ''
      ${cfg.extraConfig}
      Host *
      GlobalKnownHostsFile /etc/ssh/ssh_known_hosts
    '';
    "ssh/ssh_known_hosts".text = lib.concatLines (
      map known (builtins.filter (h: h.publicKey != null) (builtins.attrValues cfg.knownHosts))
    );
  };
}
