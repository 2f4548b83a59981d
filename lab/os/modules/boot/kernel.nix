# The kernel, its parameters and the initrd: stand-in files, as large as asked for.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.lab.kernel;
  noise = size: seed: "python3 -I ${../../programs/noise.py} ${toString size} ${lib.escapeShellArg seed}";

  kernel =
    pkgs.runCommand "linux-${cfg.version}"
      {
        version = cfg.version;
        pname = "linux";
      }
      ''
        mkdir -p $out
        ${noise cfg.size "linux ${cfg.version}"} > $out/bzImage
      '';
  modules = pkgs.runCommand "linux-${cfg.version}-modules" { } ''
    mkdir -p $out/lib/modules/${cfg.version}
    printf '%s\n' ${lib.escapeShellArgs config.boot.kernelModules} > $out/lib/modules/${cfg.version}/modules.builtin
  '';
  initrd = pkgs.runCommand "initrd-linux-${cfg.version}" { } ''
    mkdir -p $out
    ${noise config.lab.initrd.size "initrd ${cfg.version} ${config.lab.initrd.seed}"} > $out/initrd
  '';
  firmware = pkgs.runCommand "firmware" { } "mkdir -p $out/lib/firmware";
  list =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
in
{
  options = {
    boot = {
      kernelParams = list "Parameters on the kernel's command line.";
      kernelModules = list "Modules loaded at boot.";
      extraModulePackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Accepted, without effect here.";
      };
      blacklistedKernelModules = list "Accepted, without effect here.";
      kernelPackages = mkOption {
        type = types.raw;
        default = {
          kernel = kernel;
        };
        description = "The kernel; the lab sets lab.kernel instead.";
      };
      consoleLogLevel = mkOption {
        type = types.int;
        default = 4;
        description = "The kernel's log level.";
      };
      initrd = {
        enable = mkOption {
          type = types.bool;
          default = !config.boot.isContainer;
          description = "Whether there is an initrd.";
        };
        kernelModules = list "Accepted, without effect here.";
        availableKernelModules = list "Accepted, without effect here.";
      };
    };
    lab.kernel = {
      version = mkOption {
        type = types.str;
        default = "6.12.43";
        description = "The kernel's version.";
      };
      size = mkOption {
        type = types.ints.unsigned;
        default = 65536;
        description = "The kernel's size in bytes.";
      };
    };
    lab.initrd = {
      size = mkOption {
        type = types.ints.unsigned;
        default = 65536;
        description = "The initrd's size in bytes.";
      };
      seed = mkOption {
        type = types.str;
        default = "";
        description = "Changes the initrd's content.";
      };
    };
  };

  config = lib.mkMerge [
    { boot.kernelParams = [ "loglevel=${toString config.boot.consoleLogLevel}" ]; }
    (lib.mkIf (!config.boot.isContainer) {
      system.build.kernel = kernel;
      system.build.initialRamdisk = initrd;
      system.systemBuilderCommands = ''
        ln -s ${config.system.build.kernel}/bzImage $out/kernel
        ln -s ${modules} $out/kernel-modules
        ln -s ${firmware}/lib/firmware $out/firmware
        printf %s ${lib.escapeShellArg (toString config.boot.kernelParams)} > $out/kernel-params
        ${lib.optionalString config.boot.initrd.enable "ln -s ${config.system.build.initialRamdisk}/initrd $out/initrd"}
      '';
    })
  ];
}
