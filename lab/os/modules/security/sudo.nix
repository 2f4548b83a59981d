# security.sudo.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.security.sudo;

  command = types.either types.str (
    types.submodule {
      options = {
        command = mkOption {
          type = types.str;
          description = "The command, with its arguments if they are fixed.";
        };
        options = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Tags such as NOPASSWD.";
        };
      };
    }
  );
  rule = types.submodule {
    options = {
      users = mkOption {
        type = types.listOf (types.either types.str types.int);
        default = [ ];
        description = "Who, by user.";
      };
      groups = mkOption {
        type = types.listOf (types.either types.str types.int);
        default = [ ];
        description = "Who, by group.";
      };
      host = mkOption {
        type = types.str;
        default = "ALL";
        description = "On which host.";
      };
      runAs = mkOption {
        type = types.str;
        default = "ALL:ALL";
        description = "As whom.";
      };
      commands = mkOption {
        type = types.listOf command;
        description = "What.";
      };
    };
  };

  number = value: if builtins.isInt value then "#${toString value}" else value;
  commandText =
    c: if builtins.isString c then c else lib.concatMapStrings (tag: "${tag}: ") c.options + c.command;
  ruleText =
    r:
    lib.optionals (r.commands != [ ]) (
      map (who: "${who}\t${r.host}=(${r.runAs})\t${lib.concatMapStringsSep ", " commandText r.commands}") (
        map number r.users ++ map (g: "%${number g}") r.groups
      )
    );
in
{
  options.security.sudo = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there is sudo.";
    };
    package = lib.mkPackageOption pkgs "sudo" { };
    wheelNeedsPassword = mkOption {
      type = types.bool;
      default = true;
      description = "Whether wheel has to give a password.";
    };
    execWheelOnly = lib.mkEnableOption "sudo for members of wheel only";
    extraRules = mkOption {
      type = types.listOf rule;
      default = [ ];
      description = "Who may run what.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text at the end of sudoers.";
    };
    defaultOptions = mkOption {
      type = types.listOf types.str;
      default = [ "SETENV" ];
      description = "Tags of the default rules.";
    };
  };

  config = lib.mkIf cfg.enable {
    security.sudo.extraRules = lib.mkMerge [
      (lib.mkBefore [
        {
          users = [ "root" ];
          commands = [
            {
              command = "ALL";
              options = cfg.defaultOptions;
            }
          ];
        }
      ])
      (lib.mkOrder 600 [
        {
          groups = [ "wheel" ];
          commands = [
            {
              command = "ALL";
              options = lib.optional (!cfg.wheelNeedsPassword) "NOPASSWD" ++ cfg.defaultOptions;
            }
          ];
        }
      ])
    ];
    security.wrappers.sudo = {
      source = "${cfg.package}/bin/sudo";
      owner = "root";
      group = if cfg.execWheelOnly then "wheel" else "root";
      setuid = true;
      permissions = if cfg.execWheelOnly then "u+rx,g+x" else "u+rx,g+x,o+x";
    };
    environment.systemPackages = [ cfg.package ];
    environment.etc.sudoers = {
      mode = "0440";
      # Debian's sudo has a search path of its own built in; NixOS's keeps the caller's.
      text =
        "Defaults !secure_path\n"
        + lib.concatLines (builtins.concatMap ruleText cfg.extraRules)
        + cfg.extraConfig
        + "\n";
    };
  };
}
