# services.openssh.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.openssh;

  value =
    v:
    if builtins.isBool v then
      (if v then "yes" else "no")
    else if builtins.isList v then
      lib.concatStringsSep (if builtins.all (lib.hasPrefix "/") v then " " else ",") v
    else
      toString v;
  settingLines = lib.mapAttrsToList (name: v: "${name} ${value v}") (
    lib.filterAttrs (_: v: v != null && v != [ ]) cfg.settings
  );
  listen =
    a:
    "${if lib.hasInfix ":" a.addr then "[${a.addr}]" else a.addr}${
      lib.optionalString (a.port != null) ":${toString a.port}"
    }";

  service = {
    description = "SSH Daemon";
    after = [ "network.target" ];
    stopIfChanged = false;
    path = [
      cfg.package
      pkgs.gawk
    ];
    serviceConfig = {
      ExecStart = lib.concatStringsSep " " [
        (lib.optionalString cfg.startWhenNeeded "-" + "${cfg.package}/bin/sshd")
        (if cfg.startWhenNeeded then "-i" else "-D")
        "-f /etc/ssh/sshd_config"
      ];
      KillMode = "process";
    }
    // (
      if cfg.startWhenNeeded then
        {
          StandardInput = "socket";
          StandardError = "journal";
        }
      else
        {
          Restart = "always";
          Type = "notify";
          RuntimeDirectory = "sshd";
          RuntimeDirectoryMode = "0755";
          RuntimeDirectoryPreserve = true;
        }
    );
  };
in
{
  imports = [
    (lib.mkRenamedOptionModule
      [ "services" "openssh" "passwordAuthentication" ]
      [ "services" "openssh" "settings" "PasswordAuthentication" ]
    )
    (lib.mkRenamedOptionModule
      [ "services" "openssh" "permitRootLogin" ]
      [ "services" "openssh" "settings" "PermitRootLogin" ]
    )
  ];

  options.services.openssh = {
    enable = lib.mkEnableOption "the OpenSSH daemon";
    package = lib.mkPackageOption pkgs "openssh" { };
    startWhenNeeded = lib.mkEnableOption "sshd started by its socket, one for each connection";
    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
      description = "Ports.";
    };
    openFirewall = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the firewall lets them through.";
    };
    listenAddresses = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            addr = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "The address.";
            };
            port = mkOption {
              type = types.nullOr types.int;
              default = null;
              description = "The port.";
            };
          };
        }
      );
      default = [ ];
      description = "Addresses, instead of all.";
    };
    hostKeys = mkOption {
      type = types.listOf types.attrs;
      default = [
        {
          type = "ed25519";
          path = "/etc/ssh/ssh_host_ed25519_key";
        }
      ];
      description = "Host keys, made when they are missing.";
    };
    authorizedKeysFiles = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Files of keys that may log in.";
    };
    authorizedKeysInHomedir = mkOption {
      type = types.bool;
      default = false;
      description = "Whether ~/.ssh/authorized_keys counts.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Text at the end of sshd_config.";
    };
    settings = mkOption {
      default = { };
      description = "Settings of sshd_config.";
      type = types.submodule {
        freeformType = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.str
              types.int
              types.bool
              (types.listOf types.str)
            ]
          )
        );
        options = {
          UsePAM = mkOption {
            type = types.nullOr types.bool;
            default = true;
            description = "PAM.";
          };
          PasswordAuthentication = mkOption {
            type = types.nullOr types.bool;
            default = true;
            description = "Passwords.";
          };
          KbdInteractiveAuthentication = mkOption {
            type = types.nullOr types.bool;
            default = true;
            description = "Questions.";
          };
          PermitRootLogin = mkOption {
            type = types.nullOr (
              types.enum [
                "yes"
                "without-password"
                "prohibit-password"
                "forced-commands-only"
                "no"
              ]
            );
            default = "prohibit-password";
            description = "How root may log in.";
          };
          UseDns = mkOption {
            type = types.nullOr types.bool;
            default = false;
            description = "Reverse look-ups.";
          };
          X11Forwarding = mkOption {
            type = types.nullOr types.bool;
            default = false;
            description = "X11.";
          };
          AllowUsers = mkOption {
            type = types.nullOr (types.listOf types.str);
            default = null;
            description = "Who may log in.";
          };
          LogLevel = mkOption {
            type = types.nullOr types.str;
            default = "INFO";
            description = "What is logged.";
          };
        };
      };
      apply =
        settings:
        settings
        // lib.optionalAttrs (settings.AllowUsers or null != null) { AllowUsers = toString settings.AllowUsers; };
    };
  };

  config = lib.mkIf cfg.enable {
    users.users.sshd = {
      isSystemUser = true;
      group = "sshd";
      description = "SSH privilege separation user";
    };
    users.groups.sshd = { };

    services.openssh.authorizedKeysFiles = lib.optional cfg.authorizedKeysInHomedir "%h/.ssh/authorized_keys" ++ [
      "/etc/ssh/authorized_keys.d/%u"
    ];

    environment.etc."ssh/sshd_config".text =
      lib.concatLines (
        lib.optionals (!cfg.startWhenNeeded) (
          map (port: "Port ${toString port}") cfg.ports ++ map (a: "ListenAddress ${listen a}") cfg.listenAddresses
        )
        ++ map (key: "HostKey ${key.path}") cfg.hostKeys
        ++ [
          "AuthorizedKeysFile ${toString cfg.authorizedKeysFiles}"
          "Subsystem sftp ${cfg.package}/libexec/sftp-server"
          "PrintMotd no"
        ]
        ++ settingLines
      )
      + cfg.extraConfig;

    networking.firewall.allowedTCPPorts = lib.mkIf cfg.openFirewall cfg.ports;

    systemd.services = {
      sshd-keygen = {
        description = "SSH Host Keys Generation";
        unitConfig.ConditionFileNotEmpty = map (key: "|!${key.path}") cfg.hostKeys;
        path = [ cfg.package ];
        serviceConfig = {
          Type = "oneshot";
        };
        script = lib.concatMapStrings (key: ''
          [ -s ${key.path} ] || { mkdir -p -m 0755 ${dirOf key.path}; rm -f ${key.path}; ssh-keygen -q -t ${key.type} -f ${key.path} -N ""; }
        '') cfg.hostKeys;
      };
    }
    // (
      if cfg.startWhenNeeded then
        {
          "sshd@" = service // {
            after = service.after ++ [ "sshd-keygen.service" ];
            wants = [ "sshd-keygen.service" ];
          };
        }
      else
        {
          sshd = service // {
            wantedBy = [ "multi-user.target" ];
            after = service.after ++ [ "sshd-keygen.service" ];
            wants = [ "sshd-keygen.service" ];
            restartTriggers = [ config.environment.etc."ssh/sshd_config".source ];
          };
        }
    );

    # A daemon of one connection makes no directory for its separated half.
    systemd.tmpfiles.rules = lib.mkIf cfg.startWhenNeeded [ "d /run/sshd 0755 root root - -" ];
    systemd.sockets.sshd = lib.mkIf cfg.startWhenNeeded {
      description = "SSH Socket";
      wantedBy = [ "sockets.target" ];
      socketConfig = {
        ListenStream =
          if cfg.listenAddresses != [ ] then
            map (a: "${a.addr}:${toString (lib.defaultTo (builtins.head cfg.ports) a.port)}") cfg.listenAddresses
          else
            cfg.ports;
        Accept = true;
        TriggerLimitIntervalSec = 0;
      };
    };
  };
}
