# fileSystems and swapDevices, as /etc/fstab.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  fileSystem = types.submodule (
    { name, config, ... }:
    {
      options = {
        mountPoint = mkOption {
          type = types.strMatching "/.*";
          default = name;
          description = "Where it is mounted.";
        };
        device = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "What is mounted.";
        };
        label = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Or its label.";
        };
        fsType = mkOption {
          type = types.nonEmptyStr;
          default = "auto";
          description = "The file system type.";
        };
        options = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ "defaults" ];
          description = "Mount options.";
        };
        depends = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ ];
          description = "Mounted before.";
        };
        neededForBoot = lib.mkEnableOption "mounting in the initrd";
        autoFormat = lib.mkEnableOption "formatting (accepted, without effect here)";
        autoResize = lib.mkEnableOption "resizing (accepted, without effect here)";
        noCheck = lib.mkEnableOption "no check";
      };
      config.options = lib.mkIf (config.depends != [ ]) (
        map (path: "x-systemd.requires-mounts-for=${path}") config.depends
      );
    }
  );
  swap = types.submodule {
    options = {
      device = mkOption {
        type = types.nonEmptyStr;
        description = "The device or file.";
      };
      options = mkOption {
        type = types.listOf types.nonEmptyStr;
        default = [ "defaults" ];
        description = "Options.";
      };
      size = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Accepted, without effect here.";
      };
      priority = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "Priority.";
      };
    };
  };

  escape = builtins.replaceStrings [ " " "\t" ] [ "\\040" "\\011" ];
  source = fs: if fs.device != null then fs.device else "/dev/disk/by-label/${fs.label}";
  pass =
    fs:
    if fs.noCheck || !lib.hasPrefix "/dev" (source fs) then
      "0"
    else if fs.mountPoint == "/" then
      "1"
    else
      "2";
  fsLine =
    fs:
    "${escape (source fs)} ${escape fs.mountPoint} ${fs.fsType} ${escape (lib.concatStringsSep "," fs.options)} 0 ${pass fs}";
  swapLine =
    s:
    "${s.device} none swap ${
      lib.concatStringsSep "," (s.options ++ lib.optional (s.priority != null) "pri=${toString s.priority}")
    }";

  # Outer file systems first.
  depth = fs: builtins.length (builtins.filter (part: part != "") (lib.splitString "/" fs.mountPoint));
  fileSystems = lib.sortOn depth (builtins.attrValues config.fileSystems);
in
{
  options = {
    fileSystems = mkOption {
      type = types.attrsOf fileSystem;
      default = { };
      description = "The file systems.";
    };
    swapDevices = mkOption {
      type = types.listOf swap;
      default = [ ];
      description = "The swap devices.";
    };
    boot.supportedFilesystems = mkOption {
      type = types.either (types.listOf types.str) types.attrs;
      default = [ ];
      description = "Accepted, without effect here.";
    };
    boot.tmp = {
      useTmpfs = lib.mkEnableOption "a tmpfs on /tmp (accepted: systemd's own unit decides here)";
      cleanOnBoot = lib.mkEnableOption "cleaning /tmp at boot (accepted, without effect here)";
    };
  };

  config = {
    environment.etc.fstab.text = lib.concatLines (map fsLine fileSystems ++ map swapLine config.swapDevices);

    assertions = [
      {
        assertion = config.boot.isContainer || config.fileSystems ? "/";
        message = "The `fileSystems' option does not specify your root file system.";
      }
    ]
    ++ map (fs: {
      assertion = fs.device != null || fs.label != null;
      message = "No device specified for the mount point `${fs.mountPoint}'.";
    }) fileSystems;
  };
}
