# systemd.tmpfiles: files and directories that are made at boot and at every switch.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.systemd.tmpfiles;
  inherit (lib) mkOption types;

  entry = types.submodule (
    { name, ... }:
    {
      options = {
        type = mkOption {
          type = types.str;
          default = name;
          description = "The letter of the rule.";
        };
        mode = mkOption {
          type = types.str;
          default = "-";
          description = "Permissions.";
        };
        user = mkOption {
          type = types.str;
          default = "-";
          description = "Owner.";
        };
        group = mkOption {
          type = types.str;
          default = "-";
          description = "Group.";
        };
        age = mkOption {
          type = types.str;
          default = "-";
          description = "Age after which it is cleaned.";
        };
        argument = mkOption {
          type = types.str;
          default = "";
          description = "What the rule writes or links to.";
        };
      };
    }
  );
  entryLine = path: e: "${e.type} ${path} ${e.mode} ${e.user} ${e.group} ${e.age} ${e.argument}";
  settingsText =
    paths:
    lib.concatLines (
      lib.concatLists (lib.mapAttrsToList (path: rules: map (entryLine path) (builtins.attrValues rules)) paths)
    );
in
{
  options.systemd.tmpfiles = {
    rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Rules as lines.";
    };
    settings = mkOption {
      type = types.attrsOf (types.attrsOf (types.attrsOf entry));
      default = { };
      description = "Rules as sets: file, path, letter.";
    };
  };

  config = {
    environment.etc."tmpfiles.d".source = pkgs.linkFarm "tmpfiles.d" (
      {
        "00-nixos.conf" = pkgs.writeText "00-nixos.conf" (lib.concatLines cfg.rules);
      }
      // lib.mapAttrs' (
        name: paths: lib.nameValuePair "${name}.conf" (pkgs.writeText "${name}.conf" (settingsText paths))
      ) cfg.settings
    );
    systemd.tmpfiles.rules = [
      "d /nix/var 0755 root root - -"
      "L+ /nix/var/nix/gcroots/booted-system - - - - /run/booted-system"
    ];

    systemd.services.systemd-tmpfiles-setup.restartIfChanged = false;
    systemd.services.systemd-tmpfiles-resetup = {
      description = "Re-setup tmpfiles on a system that is already running.";
      requiredBy = [ "sysinit-reactivation.target" ];
      after = [
        "local-fs.target"
        "systemd-journald.service"
      ];
      before = [
        "sysinit-reactivation.target"
        "shutdown.target"
      ];
      conflicts = [ "shutdown.target" ];
      restartTriggers = [ config.environment.etc."tmpfiles.d".source ];
      unitConfig.DefaultDependencies = false;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${config.systemd.package}/bin/systemd-tmpfiles --create --remove --exclude-prefix=/dev";
        SuccessExitStatus = "DATAERR CANTCREAT";
      };
    };
  };
}
