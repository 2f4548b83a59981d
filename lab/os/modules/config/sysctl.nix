# boot.kernel.sysctl.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  value = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.str
    ]
  );
  text = v: if builtins.isBool v then (if v then "1" else "0") else toString v;
in
{
  options.boot.kernel.sysctl = mkOption {
    type = types.submodule { freeformType = types.attrsOf value; };
    default = { };
    description = "Kernel parameters set at run time; one that goes away keeps its value until the next boot.";
  };

  config = {
    environment.etc."sysctl.d/60-nixos.conf".text = lib.concatLines (
      lib.mapAttrsToList (name: v: "${name}=${text v}") (
        lib.filterAttrs (_: v: v != null) config.boot.kernel.sysctl
      )
    );
    systemd.services.systemd-sysctl = {
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ config.environment.etc."sysctl.d/60-nixos.conf".source ];
    };
  };
}
