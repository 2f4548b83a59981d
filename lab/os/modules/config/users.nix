# users.users and users.groups, the accounts of a system.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.users;
  entry = types.passwdEntry types.str;
  password =
    description:
    mkOption {
      type = types.nullOr (types.passwdEntry types.str);
      default = null;
      inherit description;
    };
  id =
    description:
    mkOption {
      type = types.nullOr types.int;
      default = null;
      inherit description;
    };

  user = types.submodule (
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the account exists.";
        };
        name = mkOption {
          type = entry;
          default = name;
          description = "The login name.";
        };
        description = mkOption {
          type = entry;
          default = "";
          description = "The full name.";
        };
        uid = id "The number; null takes the next free one.";
        isSystemUser = lib.mkEnableOption "the number range of system accounts";
        isNormalUser = lib.mkEnableOption "the number range, home and shell of people's accounts";
        group = mkOption {
          type = types.str;
          default = "";
          description = "The primary group.";
        };
        extraGroups = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Further groups.";
        };
        home = mkOption {
          type = types.passwdEntry types.path;
          default = "/var/empty";
          description = "The home directory.";
        };
        homeMode = mkOption {
          type = types.strMatching "[0-7]{1,5}";
          default = "700";
          description = "Mode of the home.";
        };
        createHome = lib.mkEnableOption "making the home directory";
        shell = mkOption {
          type = types.nullOr (types.either types.shellPackage (types.passwdEntry types.path));
          default = "/run/current-system/sw/bin/nologin";
          description = "The login shell; a package of shells is found in the system's `sw`.";
        };
        useDefaultShell = lib.mkEnableOption "users.defaultUserShell";
        hashedPassword = password "The password's hash.";
        initialHashedPassword = password "The password's hash when the account is made.";
        initialPassword = password "The password when the account is made.";
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Packages of this user.";
        };
        linger = lib.mkEnableOption "the user's manager without a session";
        openssh.authorizedKeys = {
          keys = mkOption {
            type = types.listOf types.singleLineStr;
            default = [ ];
            description = "Public keys that may log in.";
          };
          keyFiles = mkOption {
            type = types.listOf types.path;
            default = [ ];
            description = "Files of such keys.";
          };
        };
      };
      config = lib.mkMerge [
        (lib.mkIf config.isNormalUser {
          group = lib.mkDefault "users";
          createHome = lib.mkDefault true;
          home = lib.mkDefault "/home/${config.name}";
          useDefaultShell = lib.mkDefault true;
        })
        (lib.mkIf config.useDefaultShell { shell = lib.mkDefault cfg.defaultUserShell; })
      ];
    }
  );

  group = types.submodule (
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = entry;
          default = name;
          description = "The name.";
        };
        gid = id "The number; null takes the next free one.";
        members = mkOption {
          type = types.listOf entry;
          default = [ ];
          description = "Members beside those that name it.";
        };
      };
    }
  );

  users = builtins.filter (u: u.enable) (builtins.attrValues cfg.users);
  shellPath =
    shell:
    if shell == null then
      ""
    else if lib.isDerivation shell then
      "/run/current-system/sw/bin/${shell.meta.mainProgram}"
    else
      shell;
  membersOf =
    g: lib.unique (g.members ++ map (u: u.name) (builtins.filter (u: builtins.elem g.name u.extraGroups) users));
  spec = pkgs.writeText "users-groups.json" (
    builtins.toJSON {
      inherit (cfg) mutableUsers;
      groups = map (g: {
        inherit (g) name gid;
        members = membersOf g;
      }) (builtins.attrValues cfg.groups);
      users = map (u: {
        inherit (u)
          name
          uid
          group
          description
          home
          homeMode
          createHome
          isSystemUser
          hashedPassword
          initialHashedPassword
          initialPassword
          ;
        shell = shellPath u.shell;
      }) users;
    }
  );

  hasLogin =
    u:
    u.hashedPassword or null != null
    || u.openssh.authorizedKeys.keys != [ ]
    || u.openssh.authorizedKeys.keyFiles != [ ];
  administrators = builtins.filter (
    u: u.name == "root" || builtins.elem "wheel" u.extraGroups || u.group == "wheel"
  ) users;
in
{
  options.users = {
    users = mkOption {
      type = types.attrsOf user;
      default = { };
      description = "The accounts.";
    };
    groups = mkOption {
      type = types.attrsOf group;
      default = { };
      description = "The groups.";
    };
    mutableUsers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether accounts and passwords made by hand stay.";
    };
    defaultUserShell = mkOption {
      type = types.either types.path types.shellPackage;
      default = pkgs.bash;
      description = "The shell of people's accounts.";
    };
    allowNoPasswordLogin = lib.mkEnableOption "a system that nobody can log in to";
  };

  config = {
    users.users = {
      root = {
        uid = 0;
        description = "System administrator";
        home = "/root";
        shell = lib.mkDefault cfg.defaultUserShell;
        group = "root";
      };
      nobody = {
        uid = 65534;
        isSystemUser = true;
        description = "Unprivileged account (don't use!)";
        group = "nogroup";
      };
    };
    users.groups = {
      root.gid = 0;
      # 1 on NixOS, which is another group on Debian.
      wheel = { };
      users.gid = 100;
      nogroup.gid = 65534;
      shadow.gid = 42;
    };

    system.activationScripts.users = {
      supportsDryActivation = true;
      text = "python3 -I ${../../programs/update-users-groups.py} ${spec}";
    };
    system.activationScripts.groups = {
      deps = [ "users" ];
      text = "";
    };

    environment.etc = lib.mkMerge (
      map (
        u:
        let
          keys = u.openssh.authorizedKeys;
        in
        lib.mkIf (keys.keys != [ ] || keys.keyFiles != [ ]) {
          "ssh/authorized_keys.d/${u.name}" = {
            mode = "0444";
            text = lib.concatLines keys.keys + lib.concatMapStrings builtins.readFile keys.keyFiles;
          };
        }
      ) users
      ++ map (
        u:
        lib.mkIf (u.packages != [ ]) {
          "profiles/per-user/${u.name}".source = pkgs.buildEnv {
            name = "user-environment";
            paths = u.packages;
          };
        }
      ) users
    );

    systemd.services.linger-users = {
      description = "Keep the managers of lingering users running";
      wantedBy = [ "multi-user.target" ];
      after = [ "systemd-logind.service" ];
      wants = [ "systemd-logind.service" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        wanted='${toString (map (u: u.name) (builtins.filter (u: u.linger) users))}'
        for user in $(ls /var/lib/systemd/linger 2>/dev/null); do
          if ! id "$user" >/dev/null 2>&1; then
            rm -f "/var/lib/systemd/linger/$user"
            continue
          fi
          case " $wanted " in *" $user "*) ;; *) loginctl disable-linger "$user" ;; esac
        done
        [ -z "$wanted" ] || loginctl enable-linger $wanted
      '';
    };

    assertions = [
      {
        assertion =
          cfg.mutableUsers
          || cfg.allowNoPasswordLogin
          || config.lab.identity.enable
          || builtins.any hasLogin administrators;
        message = "Neither the root account nor any wheel user has a password or SSH authorized key. You must set one to prevent being locked out of your system. If you really want to be locked out, set users.allowNoPasswordLogin = true.";
      }
    ]
    ++ builtins.concatMap (u: [
      {
        assertion = u.name == "root" || u.isSystemUser != u.isNormalUser;
        message = "Exactly one of users.users.${u.name}.isSystemUser and users.users.${u.name}.isNormalUser must be set.";
      }
      {
        assertion = u.group != "";
        message = "users.users.${u.name}.group is unset. Set it, for example with `users.users.${u.name}.group = \"${u.name}\"; users.groups.${u.name} = { };`.";
      }
      {
        assertion = u.group == "" || cfg.groups ? ${u.group};
        message = "users.users.${u.name}.group is `${u.group}', a group that users.groups does not have.";
      }
    ]) users;
  };
}
