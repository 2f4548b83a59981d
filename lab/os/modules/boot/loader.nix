# The boot loaders' options, and the program that installs the one that is enabled.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.boot.loader;
  lab = config.lab.loader;

  limit =
    default:
    mkOption {
      type = types.nullOr types.int;
      inherit default;
      description = "How many generations are listed; null: all.";
    };
  program = pkgs.programDirectory "boot-loader" ../../loader;

  enabled = builtins.filter (kind: kind.enable) [
    {
      name = "systemd-boot";
      kind = "systemd-boot";
      inherit (cfg.systemd-boot) enable configurationLimit;
      tools = [ "bootctl" ];
    }
    {
      name = "lanzaboote";
      kind = "highest";
      inherit (config.boot.lanzaboote) enable configurationLimit;
      tools = [ "bootctl" ];
    }
    {
      name = "grub";
      kind = "grub";
      inherit (cfg.grub) enable configurationLimit;
      tools = [
        "grub-editenv"
        "grub-reboot"
      ];
    }
    {
      name = "generic-extlinux-compatible";
      kind = "extlinux";
      inherit (cfg.generic-extlinux-compatible) enable configurationLimit;
      tools = [ ];
    }
  ];
  chosen = builtins.head enabled;

  settings = pkgs.writers.writeJSON "boot-loader.json" (
    {
      configurationLimit = lib.defaultTo 0 chosen.configurationLimit;
      timeout = lib.defaultTo 0 cfg.timeout;
      inherit (lab) slowSeconds noMatch checkMountPoint;
      inherit (config.system.nixos) distroName;
    }
    // lib.optionalAttrs (chosen.kind == "grub") { default = toString cfg.grub.default; }
    // lib.optionalAttrs (chosen.kind != "grub") { bootDirectory = cfg.efi.efiSysMountPoint; }
  );
  tools = pkgs.linkFarm "${chosen.name}-tools" (
    lib.genAttrs (map (tool: "bin/${tool}") chosen.tools) (path: "${program}/${path}")
  );
  ownTools = chosen.tools != [ ] && !config.lab.vm.enable;
in
{
  options = {
    boot.loader = {
      timeout = mkOption {
        type = types.nullOr types.int;
        default = 5;
        description = "Seconds until the default is booted.";
      };
      efi = {
        canTouchEfiVariables = lib.mkEnableOption "changes of EFI variables (accepted, without effect here)";
        efiSysMountPoint = mkOption {
          type = types.str;
          default = "/boot";
          description = "Where the boot file system is.";
        };
      };
      systemd-boot = {
        enable = lib.mkEnableOption "systemd-boot";
        configurationLimit = limit null;
        editor = mkOption {
          type = types.bool;
          default = true;
          description = "Accepted, without effect here.";
        };
        consoleMode = mkOption {
          type = types.str;
          default = "keep";
          description = "Accepted, without effect here.";
        };
        graceful = lib.mkEnableOption "going on after errors (accepted, without effect here)";
      };
      grub = {
        enable = mkOption {
          type = types.bool;
          default = !config.boot.isContainer;
          description = "Whether to use GRUB.";
        };
        device = mkOption {
          type = types.str;
          default = "";
          description = "The disk it is installed on.";
        };
        devices = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "The disks it is installed on.";
        };
        efiSupport = lib.mkEnableOption "EFI (accepted, without effect here)";
        efiInstallAsRemovable = lib.mkEnableOption "the fall-back path (accepted, without effect here)";
        configurationLimit = limit 100;
        configurationName = mkOption {
          type = types.str;
          default = "";
          description = "The name of this configuration in the menu.";
        };
        default = mkOption {
          type = types.either types.int types.str;
          default = "0";
          description = "The default entry, or `saved`.";
        };
      };
      generic-extlinux-compatible = {
        enable = lib.mkEnableOption "an extlinux.conf";
        configurationLimit = limit 20;
      };
    };
    boot.lanzaboote = {
      enable = lib.mkEnableOption "lanzaboote";
      pkiBundle = mkOption {
        type = types.str;
        default = "/var/lib/sbctl";
        description = "Accepted, without effect here.";
      };
      configurationLimit = limit null;
    };
    system.boot.loader = {
      id = mkOption {
        type = types.str;
        default = "";
        internal = true;
        description = "The boot loader's name.";
      };
      kernelFile = mkOption {
        type = types.str;
        default = "bzImage";
        internal = true;
        description = "The kernel's file name.";
      };
      initrdFile = mkOption {
        type = types.str;
        default = "initrd";
        internal = true;
        description = "The initrd's file name.";
      };
    };
    lab.loader = {
      slowSeconds = mkOption {
        type = types.ints.unsigned;
        default = 0;
        description = "Lab: seconds the installation waits where a power cut hurts most.";
      };
      noMatch = mkOption {
        type = types.enum [
          "keep"
          "newest"
        ];
        default = "keep";
        description = "Lab: what systemd-boot's default becomes when the system is in no listed generation.";
      };
      checkMountPoint = mkOption {
        type = types.bool;
        default = false;
        description = "Lab: whether the installation fails without a boot file system.";
      };
    };
  };

  config = lib.mkMerge [
    (lib.mkIf (cfg.systemd-boot.enable || cfg.generic-extlinux-compatible.enable || config.boot.lanzaboote.enable)
      {
        boot.loader.grub.enable = lib.mkDefault false;
      }
    )
    (lib.mkIf (builtins.length enabled == 1) {
      system.boot.loader.id = chosen.name;
      system.build.installBootLoader = "${pkgs.python3}/bin/python3 -B ${program}/install.py --kind ${chosen.kind} --config ${settings}";
      environment.systemPackages = lib.mkIf ownTools (lib.mkBefore [ tools ]);
    })
    (lib.mkIf (cfg.grub.configurationName != "") {
      system.systemBuilderCommands = "printf %s ${lib.escapeShellArg cfg.grub.configurationName} > $out/configuration-name";
    })
    {
      assertions = [
        {
          assertion = builtins.length enabled <= 1;
          message = "More than one boot loader is enabled: ${lib.concatMapStringsSep ", " (kind: kind.name) enabled}.";
        }
        {
          assertion = cfg.grub.enable -> cfg.grub.device != "" || cfg.grub.devices != [ ];
          message = "You must set the option `boot.loader.grub.devices' or `boot.loader.grub.device' to make the system bootable, or enable another boot loader.";
        }
      ];
    }
  ];
}
