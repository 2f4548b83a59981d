# lab.*: the lab's own options, which no NixOS has: what a host in the lab is
# given, and the faults it can be made to have.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.lab = {
    identity.enable = lib.mkEnableOption "root's authorized keys from /run/lab/authorized_keys";
    init = mkOption {
      type = types.enum [
        "ok"
        "panic"
        "hang"
      ];
      default = "ok";
      description = "Whether this system's init works, ends at once (a kernel panic), or does nothing for ever.";
    };
  };

  config.system.activationScripts.labIdentity = {
    deps = [ "etc" ];
    text =
      let
        keys = "/etc/ssh/authorized_keys.d/root";
        declared = config.environment.etc ? "ssh/authorized_keys.d/root";
      in
      if config.lab.identity.enable then
        ''
          mkdir -p -m 0755 /etc/ssh/authorized_keys.d
          if [ -r /run/lab/authorized_keys ]; then
            ${lib.optionalString (!declared) ": > ${keys}"}
            cat /run/lab/authorized_keys >> ${keys}
            chmod 0444 ${keys}
            touch /etc/ssh/authorized_keys.d/.lab
          fi
        ''
      else
        ''
          if [ -e /etc/ssh/authorized_keys.d/.lab ]; then
            ${lib.optionalString (!declared) "rm -f ${keys}"}
            rm -f /etc/ssh/authorized_keys.d/.lab
          fi
        '';
  };
}
