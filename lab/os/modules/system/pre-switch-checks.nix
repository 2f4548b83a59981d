# system.preSwitchChecks: what can refuse a switch, and the switch inhibitors among it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  check = name: text: ''
    # pre-switch check ${name}
    (
    ${text}
    ) >&2
    if [ $? != 0 ]; then
      echo "Pre-switch check '${name}' failed" >&2
      exit 1
    fi
  '';
in
{
  options.system = {
    preSwitchChecks = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Shell commands run before a switch, with the new system and the action as $1 and $2; one that fails refuses it.";
    };
    preSwitchChecksScript = mkOption {
      type = types.path;
      internal = true;
      readOnly = true;
      description = "All checks.";
    };
    switch.inhibitors = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Values that a switch must not change: what to restart the host for.";
    };
  };

  config.system = {
    preSwitchChecksScript = pkgs.writeShellScript "pre-switch-checks" (
      "export PATH=${
        lib.makeBinPath [
          pkgs.coreutils
          pkgs.gnugrep
          pkgs.gnused
          pkgs.python3
        ]
      }:$PATH\n"
      + lib.concatStrings (lib.mapAttrsToList check config.system.preSwitchChecks)
    );
  };
}
