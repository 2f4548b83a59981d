# The options of systemd units: what all kinds have, and what each kind adds.
{
  lib,
  pkgs,
  defaultPath,
}:
let
  inherit (lib) mkOption types;

  list =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };
  flag =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };
  text =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };
  string =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };

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
  # One setting of a unit: several lists are one list, anything else must agree.
  setting = types.either atom (types.listOf atom) // {
    merge =
      loc: defs:
      if builtins.any (def: builtins.isList def.value) defs then
        lib.concatMap (def: lib.toList def.value) defs
      else
        lib.mergeEqualOption loc defs;
  };
  settings =
    description:
    mkOption {
      type = types.attrsOf setting;
      default = { };
      inherit description;
    };
  triggers =
    description:
    mkOption {
      type = types.listOf types.unspecified;
      default = [ ];
      inherit description;
    };

  triggerFile =
    kind: name: entries:
    pkgs.writeText "X-${kind}-Triggers-${name}" (
      toString (map (entry: if builtins.isPath entry then "${entry}" else entry) (lib.flatten entries))
    );

  words = name: values: lib.optionalAttrs (values != [ ]) { ${name} = toString values; };

  shared = {
    enable = flag true "Whether the unit exists; when false it is a link to /dev/null (masked).";
    overrideStrategy = mkOption {
      type = types.enum [
        "asDropinIfExists"
        "asDropin"
      ];
      default = "asDropinIfExists";
      description = "Whether the text becomes `overrides.conf` beside a unit of systemd's own: if there is one, or always.";
    };
    aliases = list "Other names of the unit.";
    wantedBy = list "Units that want this one.";
    requiredBy = list "Units that require this one.";
    upheldBy = list "Units that uphold this one.";
  };

  # What systemd.units.<name> holds: a unit as text.
  concrete = shared // {
    text = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The text of the unit.";
    };
    unit = mkOption {
      type = types.package;
      internal = true;
      description = "The unit's store path.";
    };
  };

  common = shared // {
    name = mkOption {
      type = types.str;
      internal = true;
      description = "The name with its suffix.";
    };
    description = string "" "What the unit is.";
    documentation = list "URIs of documentation.";
    requires = list "Started with this unit, which stops if one of them fails.";
    wants = list "Started with this unit.";
    upholds = list "Kept running while this unit is.";
    after = list "Started before this unit, if at all.";
    before = list "Started after this unit, if at all.";
    bindsTo = list "As `requires`, and this unit stops when one of them stops for any reason.";
    partOf = list "Stopped and restarted together with these.";
    conflicts = list "Stopped when this unit starts.";
    requisite = list "Must be running already.";
    onFailure = list "Started when this unit fails.";
    onSuccess = list "Started when this unit succeeds.";
    startLimitBurst = mkOption {
      type = types.int;
      description = "Starts allowed per interval.";
    };
    startLimitIntervalSec = mkOption {
      type = types.int;
      description = "The interval of `startLimitBurst`, in seconds.";
    };
    unitConfig = settings "The [Unit] section.";
    restartTriggers = triggers "The unit is restarted by a switch when one of these changes.";
    reloadTriggers = triggers "The unit is reloaded by a switch when one of these changes.";
  };

  commonConfig =
    suffix:
    {
      name,
      config,
      options,
      ...
    }:
    {
      name = lib.mkDefault "${name}.${suffix}";
      unitConfig =
        words "Requires" config.requires
        // words "Wants" config.wants
        // words "Upholds" config.upholds
        // words "After" config.after
        // words "Before" config.before
        // words "BindsTo" config.bindsTo
        // words "PartOf" config.partOf
        // words "Conflicts" config.conflicts
        // words "Requisite" config.requisite
        // words "Documentation" config.documentation
        // words "OnFailure" config.onFailure
        // words "OnSuccess" config.onSuccess
        // lib.optionalAttrs (config.description != "") { Description = config.description; }
        // lib.optionalAttrs (config.restartTriggers != [ ]) {
          X-Restart-Triggers = "${triggerFile "Restart" name config.restartTriggers}";
        }
        // lib.optionalAttrs (config.reloadTriggers != [ ]) {
          X-Reload-Triggers = "${triggerFile "Reload" name config.reloadTriggers}";
        }
        // lib.optionalAttrs options.startLimitIntervalSec.isDefined {
          StartLimitIntervalSec = config.startLimitIntervalSec;
        }
        // lib.optionalAttrs options.startLimitBurst.isDefined { StartLimitBurst = config.startLimitBurst; };
    };

  serviceOptions = {
    environment = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.path
            types.package
          ]
        )
      );
      default = { };
      description = "Environment variables.";
    };
    path = mkOption {
      type = types.listOf (
        types.oneOf [
          types.package
          types.str
        ]
      );
      default = [ ];
      description = "Packages on the service's PATH.";
    };
    serviceConfig = settings "The [Service] section.";
    script = text "Shell commands that are the service.";
    scriptArgs = string "" "Arguments of `script`.";
    preStart = text "Shell commands run before.";
    postStart = text "Shell commands run once it is started.";
    reload = text "Shell commands that reload it.";
    preStop = text "Shell commands that stop it.";
    postStop = text "Shell commands run after it stopped.";
    restartIfChanged = flag true "Whether a switch restarts it when it changed.";
    reloadIfChanged = flag false "Whether a switch reloads it instead of restarting it.";
    stopIfChanged = flag true "Whether a switch stops it before and starts it after the activation, instead of restarting it after.";
    notSocketActivated = flag false "Whether a switch restarts it although it has a socket.";
    enableStrictShellChecks = flag false "Accepted, without effect here.";
    startAt = mkOption {
      type = types.coercedTo types.str lib.toList (types.listOf types.str);
      default = [ ];
      description = "Calendar expressions; each becomes a line of a timer of the same name.";
    };
    confinement.enable = flag false "Accepted, without effect here.";
  };

  jobScript =
    unit: phase: body:
    let
      name = "${builtins.replaceStrings [ "\\" "@" ] [ "-" "_" ] unit}-${phase}";
    in
    "${
      pkgs.writeTextFile {
        name = "unit-script-${name}";
        executable = true;
        destination = "/bin/${name}";
        text = "#!${pkgs.runtimeShell}\nset -e\n\n${body}\n";
      }
    }/bin/${name}";

  serviceConfig =
    { name, config, ... }:
    let
      job =
        phase: body: key:
        lib.mkIf (body != "") { serviceConfig.${key} = jobScript name phase body; };
    in
    {
      config = lib.mkMerge [
        {
          path = lib.mkAfter defaultPath;
          environment.PATH = lib.mkIf (
            config.path != [ ]
          ) "${lib.makeBinPath config.path}:${lib.makeSearchPath "sbin" config.path}";
        }
        (lib.mkIf (config.script != "") {
          serviceConfig.ExecStart =
            jobScript name "start" config.script + lib.optionalString (config.scriptArgs != "") " ${config.scriptArgs}";
        })
        (job "pre-start" config.preStart "ExecStartPre")
        (job "post-start" config.postStart "ExecStartPost")
        (job "reload" config.reload "ExecReload")
        (job "pre-stop" config.preStop "ExecStop")
        (job "post-stop" config.postStop "ExecStopPost")
      ];
    };

  listens = kind: list "Addresses to listen on (${kind}).";
  where = mkOption {
    type = types.str;
    description = "The mount point.";
  };

  kind =
    suffix: options: extra:
    types.submodule (
      [
        { options = common // options; }
        (commonConfig suffix)
      ]
      ++ extra
    );
  # Mounts are named after where they are.
  placed =
    suffix: section: options: settingsOf:
    kind suffix
      (
        {
          inherit where;
          ${section} = settings "The unit's own section.";
        }
        // options
      )
      [
        (
          { config, ... }:
          {
            name = "${lib.systemdUtils.escapeSystemdPath config.where}.${suffix}";
            ${section} = settingsOf config;
          }
        )
      ];
in
{
  inherit settings setting;
  concrete = {
    options = concrete;
  };
  service = kind "service" serviceOptions [ serviceConfig ];
  target = kind "target" { } [ ];
  socket = kind "socket" {
    socketConfig = settings "The [Socket] section.";
    listenStreams = listens "ListenStream";
    listenDatagrams = listens "ListenDatagram";
  } [ ];
  timer = kind "timer" { timerConfig = settings "The [Timer] section."; } [ ];
  path = kind "path" { pathConfig = settings "The [Path] section."; } [ ];
  slice = kind "slice" { sliceConfig = settings "The [Slice] section."; } [ ];
  mount =
    placed "mount" "mountConfig"
      {
        what = string "" "The device or what else is mounted.";
        type = string "" "The file system type.";
        options = string "" "Mount options.";
      }
      (
        config:
        {
          What = config.what;
          Where = config.where;
        }
        // lib.optionalAttrs (config.type != "") { Type = config.type; }
        // lib.optionalAttrs (config.options != "") { Options = config.options; }
      );
  automount = placed "automount" "automountConfig" { } (config: {
    Where = config.where;
  });
}
