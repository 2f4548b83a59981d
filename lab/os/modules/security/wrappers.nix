# security.wrappers: programs in /run/wrappers/bin that run with another identity.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  wrapper = types.submodule (
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the wrapper exists.";
        };
        source = mkOption {
          type = types.path;
          description = "The program.";
        };
        program = mkOption {
          type = types.str;
          default = name;
          description = "The wrapper's name.";
        };
        owner = mkOption {
          type = types.str;
          description = "Its owner.";
        };
        group = mkOption {
          type = types.str;
          description = "Its group.";
        };
        setuid = lib.mkEnableOption "running as the owner";
        setgid = lib.mkEnableOption "running as the group";
        permissions = mkOption {
          type = types.str;
          default = "u+rx,g+x,o+x";
          description = "Its mode.";
        };
        capabilities = mkOption {
          type = types.commas;
          default = "";
          description = "Accepted, without effect here.";
        };
      };
    }
  );
  install = w: ''
    cp -L ${w.source} "$directory/${w.program}"
    chmod 0000 "$directory/${w.program}"
    chown ${w.owner}:${w.group} "$directory/${w.program}"
    chmod "u${if w.setuid then "+" else "-"}s,g${if w.setgid then "+" else "-"}s,${w.permissions}" "$directory/${w.program}"
  '';
in
{
  options.security.wrappers = mkOption {
    type = types.attrsOf wrapper;
    default = { };
    description = "The wrappers.";
  };

  config = {
    security.wrappers = {
      su = {
        source = "${pkgs.util-linux}/bin/su";
        owner = "root";
        group = "root";
        setuid = true;
      };
      mount = {
        source = "${pkgs.util-linux}/bin/mount";
        owner = "root";
        group = "root";
        setuid = true;
      };
      umount = {
        source = "${pkgs.util-linux}/bin/umount";
        owner = "root";
        group = "root";
        setuid = true;
      };
    };

    # /run itself may be mounted without set-uid.
    systemd.mounts = [
      {
        where = "/run/wrappers";
        what = "tmpfs";
        type = "tmpfs";
        options = "nodev,mode=755,size=50%";
        unitConfig.DefaultDependencies = false;
        conflicts = [ "umount.target" ];
        before = [ "umount.target" ];
      }
    ];
    systemd.services.suid-sgid-wrappers = {
      description = "Create SUID/SGID Wrappers";
      wantedBy = [ "sysinit.target" ];
      before = [
        "sysinit.target"
        "shutdown.target"
      ];
      conflicts = [ "shutdown.target" ];
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = [
          "/nix/store"
          "/run/wrappers"
        ];
      };
      serviceConfig = {
        Type = "oneshot";
        RestrictSUIDSGID = false;
      };
      # A fresh directory and a link that is exchanged: a wrapper is never missing.
      script = ''
        directory=$(mktemp -d /run/wrappers/wrappers.XXXXXXXXXX)
        chmod a+rx "$directory"
        ${lib.concatMapStrings install (builtins.filter (w: w.enable) (builtins.attrValues config.security.wrappers))}
        old=$(readlink -f /run/wrappers/bin || true)
        ln -sfn "$directory" /run/wrappers/bin.tmp
        mv -T /run/wrappers/bin.tmp /run/wrappers/bin
        [ -z "$old" ] || [ "$old" = /run/wrappers/bin ] || rm -rf "$old"
      '';
    };
  };
}
