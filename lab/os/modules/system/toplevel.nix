# system.build.toplevel: the directory that is a system.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.system;

  scripted = ''
    install -m 555 ${cfg.build.bootStage2} $out/init
    sed -i "s|@out@|$out|g" $out/init
  '';
  systemdStage1 = ''
    cp -L ${config.systemd.package}/lib/systemd/systemd $out/init
    install -m 555 ${cfg.build.bootStage2} $out/prepare-root
    sed -i "s|@out@|$out|g" $out/prepare-root
  '';

  toplevel = pkgs.runCommand "nixos-system-${cfg.name}-${cfg.nixos.label}" { } ''
    mkdir $out
    ${if config.boot.initrd.systemd.enable then systemdStage1 else scripted}
    install -m 555 ${cfg.build.activate} $out/activate
    install -m 555 ${cfg.build.dryActivate} $out/dry-activate
    sed -i "s|@out@|$out|g" $out/activate $out/dry-activate
    ln -s ${cfg.build.etc}/etc $out/etc
    ln -s ${cfg.path} $out/sw
    ln -s ${config.systemd.package} $out/systemd
    printf %s 'systemd ${toString cfg.interfaceVersion}' > $out/init-interface-version
    printf %s ${lib.escapeShellArg cfg.nixos.label} > $out/nixos-version
    printf %s ${pkgs.system} > $out/system
    ln -s ${cfg.preSwitchChecksScript} $out/pre-switch-checks
    printf '%s\n' ${lib.escapeShellArgs cfg.extraDependencies} > $out/extra-dependencies
    ${cfg.systemBuilderCommands}
  '';
in
{
  options.system = {
    build = mkOption {
      type = types.submodule {
        freeformType = types.lazyAttrsOf types.raw;
        options.installBootLoader = mkOption {
          type = types.either types.str types.package;
          default = "${pkgs.coreutils}/bin/true";
          description = "The program that installs the boot loader; it gets the system as its argument.";
        };
      };
      default = { };
      description = "What is built from the configuration.";
    };
    name = mkOption {
      type = types.str;
      default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
      description = "The system's name in its store path.";
    };
    systemBuilderCommands = mkOption {
      type = types.lines;
      default = "";
      internal = true;
      description = "Shell commands that add to the system's directory.";
    };
    extraDependencies = mkOption {
      type = types.listOf types.pathInStore;
      default = [ ];
      description = "Store paths that belong to the system's closure.";
    };
    checks = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Accepted, not built.";
    };
    interfaceVersion = mkOption {
      type = types.int;
      default = 2;
      internal = true;
      description = "A switch between systems of different versions is refused: what a new systemd that cannot be re-executed means.";
    };
  };

  config.system.build.toplevel = lib.asserts.checkAssertWarn config.assertions config.warnings toplevel;
}
