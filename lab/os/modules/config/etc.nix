# environment.etc: the files of /etc, reached through /etc/static.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  file = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the file exists.";
        };
        target = mkOption {
          type = types.str;
          default = name;
          description = "Where it is, below /etc.";
        };
        text = mkOption {
          type = types.nullOr types.lines;
          default = null;
          description = "Its text.";
        };
        source = mkOption {
          type = types.path;
          description = "The file or directory it links to.";
        };
        mode = mkOption {
          type = types.str;
          default = "symlink";
          description = "`symlink`, `direct-symlink`, or the octal mode of a copy.";
        };
        user = mkOption {
          type = types.str;
          default = "+0";
          description = "Owner of a copy, a name or +uid.";
        };
        group = mkOption {
          type = types.str;
          default = "+0";
          description = "Group of a copy, a name or +gid.";
        };
        uid = mkOption {
          type = types.int;
          default = 0;
          description = "Owner by number.";
        };
        gid = mkOption {
          type = types.int;
          default = 0;
          description = "Group by number.";
        };
      };
      config = {
        user = lib.mkIf (config.uid != 0) (lib.mkDefault "+${toString config.uid}");
        group = lib.mkIf (config.gid != 0) (lib.mkDefault "+${toString config.gid}");
        source = lib.mkIf (config.text != null) (
          lib.mkDefault (pkgs.writeText "etc-${lib.last (lib.splitString "/" name)}" config.text)
        );
      };
    }
  );

  entries = builtins.filter (entry: entry.enable) (builtins.attrValues config.environment.etc);
in
{
  options.environment.etc = mkOption {
    type = types.attrsOf file;
    default = { };
    description = "Files in /etc.";
  };

  config = {
    system.build.etc = pkgs.runPython "etc" ../../programs/build-etc.py (
      map (entry: {
        inherit (entry)
          target
          mode
          user
          group
          ;
        source = "${entry.source}";
      }) entries
    );

    system.activationScripts.etc = {
      deps = [
        "users"
        "groups"
      ];
      text = ''
        echo "setting up /etc..."
        python3 -I ${../../programs/setup-etc.py} ${config.system.build.etc}/etc
      '';
    };
  };
}
