# Assertions, warnings, the system's version, and options that common
# configurations set and that mean nothing on a host of the lab.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  accepted =
    type: default:
    mkOption {
      inherit type default;
      description = "Accepted, without effect here.";
    };
  cfg = config.system.nixos;
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
      description = "Conditions that must hold, with messages.";
    };
    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Messages shown at evaluation.";
    };
    meta = accepted types.anything { };

    system = {
      stateVersion = mkOption {
        type = types.str;
        default = lib.release;
        description = "The release whose state the host keeps.";
      };
      configurationRevision = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The revision of the configuration.";
      };
      nixos = {
        version = mkOption {
          type = types.str;
          default = "${cfg.release}${cfg.versionSuffix}";
          description = "The version.";
        };
        release = mkOption {
          type = types.str;
          default = lib.release;
          readOnly = true;
          description = "The release.";
        };
        versionSuffix = mkOption {
          type = types.str;
          default = "pocket";
          internal = true;
          description = "After the release.";
        };
        revision = mkOption {
          type = types.nullOr types.str;
          default = null;
          internal = true;
          description = "The revision of NixOS.";
        };
        codeName = mkOption {
          type = types.str;
          default = "Pocket";
          readOnly = true;
          description = "The release's name.";
        };
        distroId = mkOption {
          type = types.str;
          default = "nixos";
          description = "The id in os-release.";
        };
        distroName = mkOption {
          type = types.str;
          default = "NixOS";
          description = "The name in os-release.";
        };
        tags = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Tags in the label.";
        };
        label = mkOption {
          type = types.strMatching "[a-zA-Z0-9:_.-]*";
          default = lib.concatStringsSep "-" (lib.sort (a: b: a < b) cfg.tags ++ [ cfg.version ]);
          description = "The label of the system in the boot menu.";
        };
      };
    };

    nixpkgs = {
      config = accepted types.attrs { };
      overlays = accepted (types.listOf types.raw) [ ];
      hostPlatform = accepted (types.either types.str types.attrs) "x86_64-linux";
      buildPlatform = accepted (types.either types.str types.attrs) "x86_64-linux";
      system = accepted types.str "x86_64-linux";
    };

    time.timeZone = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The time zone.";
    };
    time.hardwareClockInLocalTime = accepted types.bool false;
    i18n = {
      defaultLocale = accepted types.str "en_US.UTF-8";
      supportedLocales = accepted (types.listOf types.str) [ ];
      extraLocaleSettings = accepted (types.attrsOf types.str) { };
    };
    console.keyMap = accepted (types.either types.str types.path) "us";
    console.font = accepted (types.nullOr types.str) null;
    documentation = accepted (types.submodule { freeformType = types.attrsOf types.anything; }) { };
    hardware.enableRedistributableFirmware = accepted types.bool false;
    hardware.cpu.intel.updateMicrocode = accepted types.bool false;
    hardware.cpu.amd.updateMicrocode = accepted types.bool false;
    powerManagement.cpuFreqGovernor = accepted (types.nullOr types.str) null;
    services.timesyncd.enable = accepted types.bool false;
    services.getty.autologinUser = accepted (types.nullOr types.str) null;
    services.qemuGuest.enable = accepted types.bool false;
    zramSwap.enable = accepted types.bool false;
    services.fstrim.enable = accepted types.bool false;
    programs = {
      bash.completion.enable = accepted types.bool true;
      vim.enable = accepted types.bool false;
      git.enable = accepted types.bool false;
      mtr.enable = accepted types.bool false;
      command-not-found.enable = accepted types.bool false;
    };
    xdg = accepted (types.submodule { freeformType = types.attrsOf types.anything; }) { };
    fonts.fontconfig.enable = accepted types.bool false;
  };

  # As on NixOS, which is why a revision in the configuration changes every host at every commit.
  config.environment.systemPackages = [
    (pkgs.writeShellScriptBin "nixos-version" ''
      case "$1" in
        --json) echo ${
          lib.escapeShellArg (
            builtins.toJSON (
              {
                nixosVersion = cfg.version;
              }
              // lib.optionalAttrs (config.system.configurationRevision != null) {
                inherit (config.system) configurationRevision;
              }
            )
          )
        } ;;
        --configuration-revision) echo ${lib.escapeShellArg (lib.defaultTo "" config.system.configurationRevision)} ;;
        *) echo ${lib.escapeShellArg "${cfg.version} (${cfg.codeName})"} ;;
      esac
    '')
  ];

  config.environment.etc = {
    os-release.text = ''
      ID=${cfg.distroId}
      NAME=${cfg.distroName}
      PRETTY_NAME="${cfg.distroName} ${cfg.version} (${cfg.codeName})"
      VERSION="${cfg.version} (${cfg.codeName})"
      VERSION_ID="${cfg.release}"
      BUILD_ID="${cfg.version}"
    '';
    localtime = lib.mkIf (config.time.timeZone != null) {
      source = "/usr/share/zoneinfo/${config.time.timeZone}";
      mode = "direct-symlink";
    };
  };
}
