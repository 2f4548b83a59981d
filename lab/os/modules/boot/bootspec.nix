# boot.json, what a boot loader has to know of a system (RFC 125, version 1).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.system;
  children = lib.mapAttrs (
    _: child:
    let
      system = child.configuration.system.build;
    in
    system.bootspec "${system.toplevel}" // { "org.nixos.specialisation.v1" = { }; }
  ) config.specialisation;
in
{
  config = lib.mkIf (!config.boot.isContainer) {
    # A function of the system's own path, which only its builder knows.
    system.build.bootspec = toplevel: {
      "org.nixos.bootspec.v1" = {
        system = pkgs.system;
        kernel = "${cfg.build.kernel}/${cfg.boot.loader.kernelFile}";
        kernelParams = config.boot.kernelParams;
        label = "${cfg.nixos.distroName} ${cfg.nixos.codeName} ${cfg.nixos.label} (Linux ${config.lab.kernel.version})";
        inherit toplevel;
        init = "${toplevel}/init";
      }
      // lib.optionalAttrs config.boot.initrd.enable {
        initrd = "${cfg.build.initialRamdisk}/${cfg.boot.loader.initrdFile}";
      };
    };
    system.systemBuilderCommands = ''
      install -m 644 ${
        pkgs.writers.writeJSON "boot.json" (
          cfg.build.bootspec "@out@" // { "org.nixos.specialisation.v1" = children; }
        )
      } $out/boot.json
      sed -i "s|@out@|$out|g" $out/boot.json
    '';
  };
}
