# systemd.services, .sockets, ... become systemd.units, and those become /etc/systemd/system.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.systemd;
  inherit (lib) mkOption types;
  inherit (lib.systemdUtils)
    section
    serviceBody
    socketBody
    unitText
    ;
  options = import ./unit-options.nix {
    inherit lib pkgs;
    defaultPath = [
      pkgs.coreutils
      pkgs.findutils
      pkgs.gnugrep
      pkgs.gnused
      cfg.package
    ];
  };

  sets =
    type: description:
    mkOption {
      type = types.attrsOf type;
      default = { };
      inherit description;
    };
  lists =
    type: description:
    mkOption {
      type = types.listOf type;
      default = [ ];
      inherit description;
    };

  asUnit =
    body: def:
    lib.nameValuePair def.name {
      inherit (def)
        enable
        overrideStrategy
        aliases
        wantedBy
        requiredBy
        upheldBy
        ;
      text = unitText def (body def);
    };
  ownSection =
    name: key: def:
    section name def.${key};
  unitsOf =
    scope:
    builtins.listToAttrs (
      map (asUnit (serviceBody cfg.globalEnvironment)) (builtins.attrValues scope.services)
      ++ map (asUnit socketBody) (builtins.attrValues scope.sockets)
      ++ map (asUnit (ownSection "Timer" "timerConfig")) (builtins.attrValues scope.timers)
      ++ map (asUnit (ownSection "Path" "pathConfig")) (builtins.attrValues scope.paths)
      ++ map (asUnit (ownSection "Slice" "sliceConfig")) (builtins.attrValues scope.slices)
      ++ map (asUnit (_: "")) (builtins.attrValues scope.targets)
      ++ map (asUnit (ownSection "Mount" "mountConfig")) (scope.mounts or [ ])
      ++ map (asUnit (ownSection "Automount" "automountConfig")) (scope.automounts or [ ])
    );

  unitFile =
    name: unit:
    if unit.enable then
      pkgs.runCommand "unit-${name}"
        {
          inherit (unit) text;
          passAsFile = [ "text" ];
        }
        ''
          mkdir $out
          cp "$textPath" $out/${lib.escapeShellArg name}
        ''
    else
      pkgs.runCommand "unit-${name}-disabled" { } ''
        mkdir $out
        ln -s /dev/null $out/${lib.escapeShellArg name}
      '';

  # Where a unit's file goes in the tree: over systemd's own unit, or beside it as a drop-in.
  placeOf =
    upstream: name: unit:
    if unit.enable && (unit.overrideStrategy == "asDropin" || builtins.elem name upstream) then
      "${name}.d/overrides.conf"
    else
      name;

  linksOf =
    upstream: units:
    let
      file = name: unit: { ${placeOf upstream name unit} = "${unit.unit}/${name}"; };
      pulls =
        suffix: key: name: unit:
        lib.genAttrs (map (other: "${other}.${suffix}/${name}") unit.${key}) (_: "../${name}");
      aliases = name: unit: lib.genAttrs unit.aliases (_: name);
    in
    lib.mergeAttrsList (
      map (f: lib.concatMapAttrs f units) [
        file
        aliases
        (pulls "wants" "wantedBy")
        (pulls "requires" "requiredBy")
        (pulls "upholds" "upheldBy")
      ]
    );

  generateUnits =
    type: upstream: units: extra:
    pkgs.runPython "${type}-units" ../../programs/link-tree.py (
      lib.genAttrs upstream.units (name: "${cfg.package}/example/systemd/${type}/${name}")
      // upstream.aliases
      // linksOf (upstream.units ++ builtins.attrNames upstream.aliases) units
      // extra
    );

  timersFromStartAt =
    services:
    lib.mapAttrs (_: service: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = service.startAt;
    }) (lib.filterAttrs (_: service: service.enable && service.startAt != [ ]) services);

  # The options that the system's units and those of users' managers share.
  scopeOptions = {
    units = sets (types.submodule [
      options.concrete
      ({ name, config, ... }: { unit = lib.mkDefault (unitFile name config); })
    ]) "Units as text.";
    services = sets options.service "Service units.";
    sockets = sets options.socket "Socket units.";
    timers = sets options.timer "Timer units.";
    targets = sets options.target "Target units.";
    paths = sets options.path "Path units.";
    slices = sets options.slice "Slice units.";
  };
in
{
  options.systemd = scopeOptions // {
    user = scopeOptions;
    mounts = lists options.mount "Mount units.";
    automounts = lists options.automount "Automount units.";
    package = mkOption {
      type = types.package;
      default = pkgs.systemd;
      description = "systemd itself.";
    };
    globalEnvironment = mkOption {
      type = types.attrsOf (types.nullOr types.str);
      default = { };
      description = "Environment variables of all services.";
    };
    defaultUnit = mkOption {
      type = types.str;
      default = "multi-user.target";
      description = "Started at boot.";
    };
    enableStrictShellChecks = lib.mkEnableOption "checks of unit scripts (accepted, without effect here)";
  };

  config = {
    systemd.units = unitsOf cfg;
    systemd.timers = timersFromStartAt cfg.services;
    systemd.user.units = unitsOf cfg.user;
    systemd.user.timers = timersFromStartAt cfg.user.services;

    environment.etc = {
      "systemd/system".source = generateUnits "system" (import ./upstream-units.nix) cfg.units {
        "default.target" = cfg.defaultUnit;
        "ctrl-alt-del.target" = "reboot.target";
        "multi-user.target.wants/remote-fs.target" = "../remote-fs.target";
        "getty.target.wants/autovt@tty1.service" = "../autovt@.service";
      };
      "systemd/user".source = generateUnits "user" {
        units = [ ];
        aliases = { };
      } cfg.user.units { };
    };

    # What a switch restarts to run early units again, in order; see sysinit.nix.
    systemd.targets.sysinit-reactivation = {
      description = "Reactivate sysinit units";
    };
  };
}
