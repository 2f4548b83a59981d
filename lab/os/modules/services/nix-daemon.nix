# nix.*: the daemon, its configuration and the collection of garbage.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nix;
  atom = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.float
      types.str
      types.path
      types.package
    ]
  );
  value =
    v:
    if builtins.isBool v then
      lib.boolToString v
    else if builtins.isList v then
      toString v
    else
      toString v;
in
{
  options.nix = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there is Nix.";
    };
    package = lib.mkPackageOption pkgs "nix" { };
    nrBuildUsers = mkOption {
      type = types.int;
      default = 0;
      description = "Accounts for builds; none: builds run as root.";
    };
    channel.enable = mkOption {
      type = types.bool;
      default = false;
      description = "Accepted, without effect here.";
    };
    registry = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Accepted, without effect here.";
    };
    nixPath = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Accepted, without effect here.";
    };
    optimise.automatic = lib.mkEnableOption "optimisation of the store (accepted, without effect here)";
    extraOptions = mkOption {
      type = types.lines;
      default = "";
      description = "Text at the end of nix.conf.";
    };
    settings = mkOption {
      type = types.submodule { freeformType = types.attrsOf (types.either atom (types.listOf atom)); };
      default = { };
      description = "nix.conf.";
    };
    gc = {
      automatic = lib.mkEnableOption "the collection of garbage by a timer";
      dates = mkOption {
        type = types.coercedTo types.str lib.toList (types.listOf types.str);
        default = [ "03:15" ];
        description = "When.";
      };
      options = mkOption {
        type = types.singleLineStr;
        default = "";
        description = "Options of nix-collect-garbage.";
      };
      persistent = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a missed time is made up for.";
      };
      randomizedDelaySec = mkOption {
        type = types.singleLineStr;
        default = "0";
        description = "A random delay.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    # What the lab's hosts need: no network, no sandbox inside a container.
    nix.settings = {
      experimental-features = lib.mkDefault [
        "nix-command"
        "flakes"
      ];
      sandbox = lib.mkDefault false;
      substituters = lib.mkDefault [ ];
      trusted-users = [ "root" ];
      build-users-group = if cfg.nrBuildUsers > 0 then "nixbld" else "";
    };
    users.groups = lib.mkIf (cfg.nrBuildUsers > 0) { nixbld.gid = 30000; };
    users.users = lib.mkIf (cfg.nrBuildUsers > 0) (
      builtins.listToAttrs (
        map (
          n:
          lib.nameValuePair "nixbld${toString n}" {
            uid = 30000 + n;
            isSystemUser = true;
            group = "nixbld";
            extraGroups = [ "nixbld" ];
            description = "Nix build user ${toString n}";
          }
        ) (lib.range 1 cfg.nrBuildUsers)
      )
    );

    environment.systemPackages = [
      cfg.package
      pkgs.git
    ];
    environment.etc."nix/nix.conf".text =
      lib.concatLines (
        lib.mapAttrsToList (name: v: "${name} = ${value v}") (lib.filterAttrs (_: v: v != null) cfg.settings)
      )
      + cfg.extraOptions;

    systemd.sockets.nix-daemon = {
      description = "Nix Daemon Socket";
      wantedBy = [ "sockets.target" ];
      before = [ "multi-user.target" ];
      unitConfig = {
        RequiresMountsFor = "/nix/store";
        ConditionPathIsReadWrite = "/nix/var/nix/daemon-socket";
      };
      listenStreams = [ "/nix/var/nix/daemon-socket/socket" ];
    };
    systemd.services.nix-daemon = {
      description = "Nix Daemon";
      path = [
        cfg.package
        pkgs.util-linux
        pkgs.openssh
      ];
      unitConfig.RequiresMountsFor = "/nix/store /nix/var";
      serviceConfig = {
        ExecStart = "@${cfg.package}/bin/nix-daemon nix-daemon --daemon";
        KillMode = "process";
        LimitNOFILE = 1048576;
        TasksMax = 1048576;
        Delegate = true;
      };
      restartTriggers = [ config.environment.etc."nix/nix.conf".source ];
      # `stop` and `start` would go through the socket.
      stopIfChanged = false;
    };
    systemd.tmpfiles.rules = [ "d /nix/var/nix/daemon-socket 0755 root root - -" ];

    systemd.services.nix-gc = {
      description = "Nix Garbage Collector";
      script = "exec ${cfg.package}/bin/nix-collect-garbage ${cfg.gc.options}";
      serviceConfig.Type = "oneshot";
      startAt = lib.optionals cfg.gc.automatic cfg.gc.dates;
      restartIfChanged = false;
    };
    systemd.timers.nix-gc = lib.mkIf cfg.gc.automatic {
      timerConfig = {
        RandomizedDelaySec = cfg.gc.randomizedDelaySec;
        Persistent = cfg.gc.persistent;
      };
    };
  };
}
