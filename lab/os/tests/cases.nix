# What evaluation must give: a table of expressions, each with the value or with
# pieces of the error that it must give. `run.py` beside it goes through it.
# A table: it keeps its own layout.
let
  lib = import ../lib;
  inherit (lib) mkOption types mkIf mkMerge mkForce mkDefault mkBefore mkAfter mkOverride mkOrder;

  # The configuration of small modules of our own.
  eval = modules: (lib.evalModules { inherit modules; }).config;
  option = type: default: { options.x = mkOption { inherit type default; }; };
  required = type: { options.x = mkOption { inherit type; }; };
  x = value: { config.x = value; };
  # The value of an option of a type with these definitions.
  merged = type: values: (eval ([ (required type) ] ++ map x values)).x;

  # A whole system; and what a host of the lab would be.
  host = module: import ../eval-config.nix { modules = [ ../base/configuration.nix module ]; };
  config = module: (host module).config;
  builds = module: (config module).system.build.toplevel.drvPath;
  unit = module: name: (config module).systemd.units.${name}.text;
  linesWith = word: text: builtins.filter (line: lib.hasInfix word line) (lib.splitString "\n" text);

  person = { options = { name = mkOption { type = types.str; }; age = mkOption { type = types.int; default = 1; }; }; };
in
{
  # Types and merging.

  bool = { value = merged types.bool [ true ]; expect = true; };
  bool-equal-twice = { value = merged types.bool [ true true ]; expect = true; };
  bool-conflict = { value = merged types.bool [ true false ]; error = [ "The option `x' has conflicting definitions" "a boolean, true" "a boolean, false" "lib.mkForce" ]; };
  wrong-type = {
    value = merged types.int [ "five" ];
    error = [ "The value of the option `x' is of the wrong type" "expected: signed integer" "a string, \"five\"" "tests/cases.nix" ];
  };
  port-range = { value = merged types.port [ 70000 ]; error = [ "16 bit unsigned integer; between 0 and 65535" "an integer, 70000" ]; };
  positive = { value = merged types.ints.positive [ 0 ]; error = [ "positive integer" ]; };
  between = { value = merged (types.ints.between 1 3) [ 2 ]; expect = 2; };
  lines-in-order = { value = merged types.lines [ "a" "b" ]; expect = "b\na"; };
  lists-are-joined = { value = merged (types.listOf types.int) [ [ 1 ] [ 2 3 ] ]; expect = [ 2 3 1 ]; };
  list-element-type = {
    value = merged (types.listOf types.int) [ [ 1 "2" ] ];
    error = [ "`x.[definition 1-entry 2]'" "expected: signed integer" ];
  };
  list-elements-with-conditions = { value = merged (types.listOf types.int) [ [ 1 (mkIf false 2) 3 ] ]; expect = [ 1 3 ]; };
  attrs-are-joined = { value = merged (types.attrsOf types.int) [ { a = 1; } { b = 2; } ]; expect = { a = 1; b = 2; }; };
  attrs-leave-out-what-is-not-so = { value = merged (types.attrsOf types.int) [ { a = mkIf false 1; b = 2; } ]; expect = { b = 2; }; };
  attrs-nested = {
    value = merged (types.attrsOf (types.attrsOf types.str)) [ { a.b = 1; } ];
    error = [ "`x.a.b'" "expected: string" ];
  };
  lazy-attrs-do-not-force-their-names = {
    value = (merged (types.lazyAttrsOf types.int) [ { a = 1; b = throw "forced"; } ]).a;
    expect = 1;
  };
  enum = { value = merged (types.enum [ "a" "b" ]) [ "c" ]; error = [ "one of \"a\", \"b\"" "a string, \"c\"" ]; };
  null-or = { value = merged (types.nullOr types.int) [ null ]; expect = null; };
  either = { value = map (v: merged (types.either types.int types.str) [ v ]) [ 1 "a" ]; expect = [ 1 "a" ]; };
  one-of-describes-itself = { value = merged (types.oneOf [ types.int types.str types.bool ]) [ [ ] ]; error = [ "signed integer or string or boolean" "a list of 0 elements" ]; };
  coerced = { value = merged (types.coercedTo types.str (s: [ s ]) (types.listOf types.str)) [ "a" [ "b" ] ]; expect = [ "b" "a" ]; };
  path-is-absolute = { value = merged types.path [ "relative" ]; error = [ "absolute path" ]; };
  anything-joins-deeply = { value = merged types.anything [ { a.b = 1; } { a.c = [ 2 ]; } ]; expect.a = { b = 1; c = [ 2 ]; }; };
  raw-is-not-looked-at = { value = merged types.raw [ { _type = "strange"; } ]; expect._type = "strange"; };
  no-value = { value = (eval [ (required types.int) ]).x; error = [ "The option `x' was accessed but has no value defined" ]; };
  str-matching = { value = merged (types.strMatching "[a-z]+") [ "A" ]; error = [ "string matching the pattern [a-z]+" ]; };
  single-line = { value = merged types.singleLineStr [ "a\nb" ]; error = [ "single-line string" ]; };

  # Priorities and order.

  default-gives-way = { value = (eval [ (option types.int 1) (x 2) ]).x; expect = 2; };
  mk-default-gives-way = { value = merged types.int [ (mkDefault 1) 2 ]; expect = 2; };
  mk-default-beats-default = { value = (eval [ (option types.int 1) (x (mkDefault 2)) ]).x; expect = 2; };
  mk-force-wins = { value = merged types.int [ (mkForce 1) 2 ]; expect = 1; };
  mk-force-replaces-lists = { value = merged (types.listOf types.int) [ (mkForce [ 1 ]) [ 2 ] ]; expect = [ 1 ]; };
  mk-override-in-numbers = { value = merged types.int [ (mkOverride 10 1) (mkForce 2) ]; expect = 1; };
  equal-priorities-conflict = { value = merged types.int [ (mkForce 1) (mkForce 2) ]; error = [ "conflicting definitions" ]; };
  mk-before-and-after = {
    value = merged (types.listOf types.str) [ (mkAfter [ "last" ]) [ "middle" ] (mkBefore [ "first" ]) (mkOrder 1600 [ "very last" ]) ];
    expect = [ "first" "middle" "last" "very last" ];
  };
  mk-merge = { value = merged (types.listOf types.int) [ (mkMerge [ [ 1 ] (mkIf false [ 2 ]) [ 3 ] ]) ]; expect = [ 1 3 ]; };
  mk-if-on-a-whole-module = {
    value = (eval [ (option types.int 1) { config = mkIf true { x = 2; }; } { config = mkIf false { x = 3; }; } ]).x;
    expect = 2;
  };
  mk-if-may-read-what-it-guards = {
    value = eval [
      { options.on = mkOption { type = types.bool; default = true; }; options.x = mkOption { type = types.int; default = 0; }; }
      ({ config, ... }: { config = mkIf config.on { x = 5; }; })
    ];
    expect = { on = true; x = 5; };
  };
  mk-force-on-a-group = { value = (eval [ { options.a.b = mkOption { type = types.int; }; } { a = mkForce { b = 1; }; } { a.b = 2; } ]).a.b; expect = 1; };
  read-only-twice = {
    value = (eval [ { options.x = mkOption { type = types.int; readOnly = true; }; } (x 1) (x 1) ]).x;
    error = [ "`x' is read-only, but it is set more than once" ];
  };

  # Modules.

  function-module = { value = (eval [ (option types.int 1) ({ lib, ... }: { x = lib.mkForce 4; }) ]).x; expect = 4; };
  module-argument = { value = (eval [ (option types.int 1) { config._module.args.n = 7; } ({ n, ... }: { x = n; }) ]).x; expect = 7; };
  file-of-a-module-without-one = { value = (eval [ (option types.int 1) { config.x = "?"; } ]).x; error = [ "- in `" "tests/cases.nix': a string" ]; };
  missing-argument = { value = (eval [ (option types.int 1) ({ nope, ... }: { x = nope; }) ]).x; error = [ "asks for the argument `nope', which nobody gives" "specialArgs" ]; };
  imports-come-once = {
    value = (eval [ (option (types.listOf types.int) [ ]) { imports = [ ./fixtures/one.nix ./fixtures/one.nix ]; } ./fixtures/one.nix ]).x;
    expect = [ 1 ];
  };
  imports-before-importer = { value = (eval [ (option (types.listOf types.int) [ ]) { imports = [ ./fixtures/one.nix ]; x = [ 2 ]; } ]).x; expect = [ 1 2 ]; };
  disabled-module = { value = (eval [ (option (types.listOf types.int) [ ]) ./fixtures/one.nix { disabledModules = [ ./fixtures/one.nix ]; } ]).x; expect = [ ]; };
  error-names-the-file = { value = (eval [ (option types.int 1) ./fixtures/wrong.nix ]).x; error = [ "tests/fixtures/wrong.nix" "expected: signed integer" ]; };
  unknown-option = {
    value = eval [ (option types.int 1) ./fixtures/unknown.nix ];
    error = [ "The option `exes' does not exist" "tests/fixtures/unknown.nix:3" "a string, \"?\"" ];
  };
  unknown-option-nested = {
    value = eval [ { options.services.web.enable = mkOption { type = types.bool; default = false; }; } { services.web.enabel = true; } ];
    error = [ "`services.web.enabel' does not exist" "did you mean: `services.web.enable'" ];
  };
  unknown-option-elsewhere = {
    value = eval [ { options.services.web.port = mkOption { type = types.int; default = 1; }; } { port = 1; } ];
    error = [ "`port' does not exist" "did you mean: `services.web.port'" ];
  };
  all-unknown-options-are-named = { value = eval [ { aa = 1; bb = 2; } ]; error = [ "`aa'" "`bb'" ]; };
  unknown-option-under-mk-if-false-is-still-unknown = { value = eval [ { config = mkIf false { nope = 1; }; } ]; error = [ "`nope' does not exist" ]; };
  group-is-no-option = { value = (eval [ { options.a.b = mkOption { type = types.int; default = 1; }; } { a = true; } ]).a.b; error = [ "not an option but a group of options" "a boolean, true" ]; };
  declared-twice = { value = (eval [ (option types.int 1) (option types.int 2) ]).x; error = [ "`x' is declared more than once" ]; };
  beside-config = { value = eval [ { config = { }; x = 1; } ]; error = [ "unsupported attribute `x' beside `config'" ]; };
  module-of-a-wrong-kind = { value = eval [ 5 ]; error = [ "is an integer, 5; a module is a set, a function" ]; };
  special-args-in-imports = {
    value = (lib.evalModules { specialArgs.where = ./fixtures/one.nix; modules = [ (option (types.listOf types.int) [ ]) ({ where, ... }: { imports = [ where ]; }) ]; }).config.x;
    expect = [ 1 ];
  };
  extend-modules = { value = ((lib.evalModules { modules = [ (option types.int 1) ]; }).extendModules { modules = [ (x 9) ]; }).config.x; expect = 9; };
  renamed-option = {
    value = (eval [ (option types.int 1) (lib.mkRenamedOptionModule [ "old" ] [ "x" ]) { options.warnings = mkOption { type = types.listOf types.str; default = [ ]; }; } { _file = "mine.nix"; old = 3; } ]);
    expect = { x = 3; old = 3; warnings = [ "The option `old', set in `mine.nix', has been renamed to `x'." ]; };
  };
  infinite-recursion-is-found = { value = (eval [ ({ config, ... }: { options.x = mkOption { type = types.int; default = config.x + 1; }; }) ]).x; error = [ "infinite recursion" ]; };
  default-of-another-option = {
    value = eval [ ({ config, ... }: { options = { a = mkOption { type = types.int; default = 1; }; x = mkOption { type = types.int; default = config.a + 1; }; }; }) { a = 4; } ];
    expect = { a = 4; x = 5; };
  };
  unused-bad-default-does-no-harm = {
    value = (eval [ { options = { bad = mkOption { type = types.int; default = throw "never asked"; }; x = mkOption { type = types.int; default = 1; }; }; } ]).x;
    expect = 1;
  };

  # Submodules and free forms.

  submodule = { value = merged (types.submodule person) [ { name = "a"; } ]; expect = { name = "a"; age = 1; }; };
  submodule-from-two-files = { value = merged (types.submodule person) [ { name = "a"; } { age = 2; } ]; expect = { name = "a"; age = 2; }; };
  submodule-knows-its-name = {
    value = merged (types.attrsOf (types.submodule ({ name, ... }: { options.n = mkOption { default = name; }; }))) [ { a = { }; b = { }; } ];
    expect = { a.n = "a"; b.n = "b"; };
  };
  submodule-unknown-option = { value = merged (types.attrsOf (types.submodule person)) [ { a.nmae = "x"; } ]; error = [ "`x.a.nmae' does not exist" "did you mean: `x.a.name'" ]; };
  submodule-wrong-type = { value = merged (types.listOf (types.submodule person)) [ [ { name = 1; } ] ]; error = [ "`x.[definition 1-entry 1].name'" "expected: string" ]; };
  submodule-required = { value = merged (types.attrsOf (types.submodule person)) [ { a = { }; } ]; error = [ "`x.a.name' was accessed but has no value defined" ]; };
  submodule-declared-in-two-modules = {
    value = (eval [
      { options.x = mkOption { type = types.submodule person; }; }
      { options.x = mkOption { type = types.submodule { options.extra = mkOption { default = 5; }; }; }; }
      { x.name = "a"; }
    ]).x;
    expect = { name = "a"; age = 1; extra = 5; };
  };
  free-form = { value = (eval [ { freeformType = types.attrsOf types.int; options.a = mkOption { type = types.str; default = "d"; }; b = 1; } ]); error = [ "unsupported attribute `b'" ]; };
  free-form-values = {
    value = eval [ { freeformType = types.attrsOf types.int; options.a = mkOption { type = types.str; default = "d"; }; } { b = 1; } { c = mkIf false 2; } ];
    expect = { a = "d"; b = 1; };
  };
  free-form-has-a-type = { value = eval [ { freeformType = types.attrsOf types.int; } { b = "1"; } ]; error = [ "`b'" "expected: signed integer" ]; };
  deferred-module = { value = (eval ((merged types.deferredModule [ (option types.int 1) { x = 3; } ]).imports)).x; expect = 3; };

  # Systems.

  base-builds = { value = builtins.isString (builds { }); expect = true; };
  host-typo = { value = builds { services.opensh.enable = true; }; error = [ "`services.opensh' does not exist" "did you mean: `services.openssh'" ]; };
  host-typo-names-the-line = { value = builds ./fixtures/typo.nix; error = [ "`networking.firewall.allowedTcpPorts' does not exist" "fixtures/typo.nix:4" "`networking.firewall.allowedTCPPorts'" ]; };
  host-wrong-type = { value = builds { services.openssh.ports = [ "22" ]; }; error = [ "`services.openssh.ports.[definition 1-entry 1]'" "16 bit unsigned integer" ]; };
  host-assertion = {
    value = builds { assertions = [ { assertion = false; message = "first"; } { assertion = true; message = "holds"; } { assertion = false; message = "second"; } ]; };
    error = [ "Failed assertions:" "- first" "- second" ];
  };
  host-without-root-file-system = { value = builds { fileSystems = mkForce { }; }; error = [ "does not specify your root file system" ]; };
  user-of-no-kind = { value = builds { users.users.a.group = "users"; }; error = [ "Exactly one of users.users.a.isSystemUser and users.users.a.isNormalUser must be set" ]; };
  user-without-group = { value = builds { users.users.a.isSystemUser = true; }; error = [ "users.users.a.group is unset" ]; };
  locked-out = {
    value = builds { lab.identity.enable = mkForce false; users.mutableUsers = false; };
    error = [ "You must set one to prevent being locked out" ];
  };
  two-boot-loaders = { value = builds { boot.loader.grub = { enable = true; device = "/dev/vda"; }; }; error = [ "More than one boot loader is enabled: systemd-boot, grub" ]; };
  unit-typo = { value = builds { systemd.services.a.serviceConf.User = "x"; }; error = [ "`systemd.services.a.serviceConf' does not exist" "serviceConfig" ]; };
  activation-circle = {
    value = builds { system.activationScripts = { a = { text = "a"; deps = [ "b" ]; }; b = { text = "b"; deps = [ "a" ]; }; }; };
    error = [ "a -> b" "depend on each other in a circle" ];
  };
  activation-missing-dependency = { value = builds { system.activationScripts.a = { text = "a"; deps = [ "nope" ]; }; }; error = [ "`a' depends on `nope', which does not exist" ]; };
  removed-option = {
    value = builds ({ lib, ... }: { imports = [ (lib.mkRemovedOptionModule [ "old" ] "Use new.") ]; old = 1; });
    error = [ "The option `old', set in" "no longer has any effect; please remove it. Use new." ];
  };

  unit-switching-keys = {
    value = map (word: linesWith word (unit {
      systemd.services.a = { script = "x"; restartIfChanged = false; stopIfChanged = false; notSocketActivated = true; };
    } "a.service")) [ "X-Restart" "X-Stop" "X-Not" "X-Reload" ];
    expect = [ [ "X-RestartIfChanged=false" ] [ "X-StopIfChanged=false" ] [ "X-NotSocketActivated=true" ] [ ] ];
  };
  unit-reload-goes-before-restart = {
    value = linesWith "IfChanged" (unit { systemd.services.a = { script = "x"; reloadIfChanged = true; restartIfChanged = false; }; } "a.service");
    expect = [ "X-ReloadIfChanged=true" ];
  };
  unit-lists-are-repeated-keys = {
    value = linesWith "ExecStart" (unit { systemd.services.a.serviceConfig = { ExecStartPre = [ "/one" "/two" ]; ExecStart = "/three"; }; } "a.service");
    expect = [ "ExecStart=/three" "ExecStartPre=/one" "ExecStartPre=/two" ];
  };
  unit-dependencies = {
    value = map (word: linesWith word (unit { systemd.services.a = { after = [ "b.service" "c.service" ]; wantedBy = [ "multi-user.target" ]; onFailure = [ "d.service" ]; }; } "a.service")) [ "After=" "WantedBy=" "OnFailure=" ];
    expect = [ [ "After=b.service c.service" ] [ "WantedBy=multi-user.target" ] [ "OnFailure=d.service" ] ];
  };
  unit-triggers = {
    value = map (line: builtins.match "X-([a-zA-Z]+)-Triggers=/nix/store/.*" line != null) (
      linesWith "Triggers" (unit { systemd.services.a = { script = "x"; restartTriggers = [ "1" ]; reloadTriggers = [ "2" ]; }; } "a.service")
    );
    expect = [ true true ];
  };
  unit-trigger-changes-the-unit = {
    value =
      let
        of = trigger: unit { systemd.services.a = { script = "x"; restartTriggers = [ trigger ]; }; } "a.service";
      in
      [ (of "1" == of "2") (of "1" == of "1") ];
    expect = [ false true ];
  };
  unit-start-at = {
    value = linesWith "OnCalendar" (unit { systemd.services.a = { script = "x"; startAt = [ "daily" "12:00" ]; }; } "a.timer");
    expect = [ "OnCalendar=daily" "OnCalendar=12:00" ];
  };
  unit-names-of-mounts = {
    value = builtins.attrNames (lib.filterAttrs (name: _: lib.hasInfix "srv" name) (config { systemd.mounts = [ { where = "/srv/a b-c"; what = "/x"; } ]; }).systemd.units);
    expect = [ "srv-a\\x20b\\x2dc.mount" ];
  };
  unit-environment-is-quoted = {
    value = linesWith "GREETING" (unit { systemd.services.a = { script = "x"; environment.GREETING = "a \"b\""; }; } "a.service");
    expect = [ "Environment=\"GREETING=a \\\"b\\\"\"" ];
  };

  specialisation-inherits = {
    value =
      let
        c = config { networking.hostName = "a"; specialisation.s.configuration = { boot.kernelParams = [ "s" ]; }; };
      in
      [ c.specialisation.s.configuration.networking.hostName (builtins.elem "s" c.specialisation.s.configuration.boot.kernelParams) (builtins.elem "s" c.boot.kernelParams) ];
    expect = [ "a" true false ];
  };
  specialisation-does-not-inherit = {
    value = (config {
      networking.hostName = "a";
      specialisation.s = { inheritParentConfig = false; configuration = { networking.hostName = "b"; }; };
    }).specialisation.s.configuration.networking.hostName;
    expect = "b";
  };
  container-is-a-trigger = {
    value =
      let
        of = text: unit { containers.c = { autoStart = true; config = { environment.etc.x.text = text; }; }; } "container@c.service";
      in
      [ (of "1" == of "2") (linesWith "X-Restart" (of "1") != [ ]) ];
    expect = [ false true ];
  };
  revision-is-in-the-system = {
    value = builds { system.configurationRevision = "abc"; } == builds { };
    expect = false;
  };
  sudo-rules = {
    value = linesWith "deploy" (config { security.sudo.extraRules = [ { users = [ "deploy" ]; commands = [ { command = "/a/b"; options = [ "NOPASSWD" ]; } ]; } ]; }).environment.etc.sudoers.text;
    expect = [ "deploy\tALL=(ALL:ALL)\tNOPASSWD: /a/b" ];
  };
  warnings-do-not-stop = { value = builtins.isString (builds { warnings = [ "take care" ]; }); expect = true; trace = [ "evaluation warning: take care" ]; };
  agent-like-module = {
    value = builtins.isString (builds ./fixtures/agent-module.nix);
    expect = true;
  };
}
