# bin/switch-to-configuration and the file of switch inhibitors.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  program = pkgs.programDirectory "switch-to-configuration" ../../switch;
  wrapper = pkgs.writeScript "switch-to-configuration" ''
    #!${pkgs.runtimeShell}
    export OUT='@out@'
    export TOPLEVEL='@out@'
    export DISTRO_ID=${lib.escapeShellArg config.system.nixos.distroId}
    export INSTALL_BOOTLOADER=${lib.escapeShellArg config.system.build.installBootLoader}
    export PRE_SWITCH_CHECK=${lib.escapeShellArg config.system.preSwitchChecksScript}
    export LOCALE_ARCHIVE=/run/current-system/sw/lib/locale/locale-archive
    export SYSTEMD=${config.systemd.package}
    exec ${pkgs.python3}/bin/python3 -I -B -S ${program}/switch-to-configuration.py "$@"
  '';
in
{
  options.system.switch.enable = lib.mkOption {
    type = lib.types.bool;
    default = true;
    description = "Whether the system has bin/switch-to-configuration.";
  };

  config = lib.mkIf config.system.switch.enable {
    system.systemBuilderCommands = ''
      mkdir $out/bin
      install -m 555 ${wrapper} $out/bin/switch-to-configuration
      sed -i "s|@out@|$out|g" $out/bin/switch-to-configuration
      ln -s ${pkgs.writers.writeJSON "switch-inhibitors" config.system.switch.inhibitors} $out/switch-inhibitors
    '';
    system.preSwitchChecks.switchInhibitors = "python3 -I -B ${../../programs/check-inhibitors.py} \"$1\" \"$2\"";
    security.sudo.extraConfig = "Defaults env_keep+=NIXOS_NO_CHECK";
  };
}
