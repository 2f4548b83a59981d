# The table with its systems built: a folder with cases.json and what runs it on a host.
#
# Every *.toml here holds modules by name and cases that name them; see README.md. A system is the base of the
# cases plus the modules of its list; equal lists are one system.
{
  system ? "x86_64-linux",
  # The modules of every system: that of the host on which the cases run.
  base ? [ ./base.nix ],
  # Only the cases of this file; modules may come from all.
  only ? null,
}:
let
  lib = import ../os/lib;
  evaluate = modules: import ../os/eval-config.nix { inherit system modules; };
  bare = evaluate base;

  files = builtins.filter (lib.hasSuffix ".toml") (builtins.attrNames (builtins.readDir ./.));
  tables = map (file: builtins.fromTOML (builtins.readFile (./. + "/${file}"))) files;
  wanted = if only == null then files else [ only ];
  cases = builtins.concatMap (file: (builtins.fromTOML (builtins.readFile (./. + "/${file}"))).case or [ ]) wanted;

  # `module` sets options, `force` overrides what the base sets. A name that two files give, or
  # that nothing gives, is a mistake.
  given = table: table.module or { } // lib.mapAttrs (_: lib.mapAttrsRecursive (_: lib.mkForce)) (table.force or { });
  modules = builtins.foldl' (
    known: table:
    let
      both = builtins.attrNames (builtins.intersectAttrs known (given table));
    in
    if both == [ ] then known // given table else throw "lab/cases: module `${builtins.head both}' is there twice"
  ) { } tables;
  withPackages = import ./modules.nix;
  moduleNamed =
    name:
    withPackages.${name} or {
      _file = "lab/cases, module `${name}'";
      config = modules.${name} or (throw "lab/cases: there is no module `${name}'");
    };

  # Cases with a loader use it on a boot directory of their own, so that the host's is left alone.
  loaderFolder = bare.pkgs.programDirectory "boot-loader" ../os/loader;
  programs = builtins.path {
    name = "run-case";
    path = ./.;
    filter = file: type: if type == "directory" then baseNameOf file == "drive" else lib.hasSuffix ".py" file;
  };
  loaderModule = kind: {
    system.build.installBootLoader = lib.mkForce "${bare.pkgs.python3}/bin/python3 -B ${loaderFolder}/install.py --kind ${kind} --config /run/lab-case/loader.json";
  };

  keyOf = names: loader: builtins.toJSON [ names (loader.kind or "") ];
  systemsOf = case: [
    { names = case.old or [ ]; loader = case.loader or { }; }
    { names = case.new or [ ]; loader = case.loader or { }; }
  ];
  built = builtins.listToAttrs (
    map (wanted: {
      name = keyOf wanted.names wanted.loader;
      value =
        (evaluate (
          base
          ++ map moduleNamed wanted.names
          ++ lib.optional (wanted.loader ? kind) (loaderModule wanted.loader.kind)
        )).config.system.build.toplevel;
    }) (builtins.concatMap systemsOf cases)
  );

  # The units that a case's modules name: those whose state before the switch it has to know.
  unitNames =
    names:
    let
      of = name: modules.${name}.systemd or { };
      typed = kind: suffix: name: map (unit: "${unit}.${suffix}") (builtins.attrNames ((of name).${kind} or { }));
      mounts = name: map (mount: "${lib.systemdUtils.escapeSystemdPath mount.where}.mount") ((of name).mounts or [ ]);
      each = name:
        typed "services" "service" name
        ++ typed "sockets" "socket" name
        ++ typed "timers" "timer" name
        ++ typed "targets" "target" name
        ++ typed "paths" "path" name
        ++ typed "slices" "slice" name
        ++ builtins.attrNames ((of name).units or { })
        ++ mounts name;
    in
    builtins.filter (unit: builtins.match ".*@\\..*" unit == null) (builtins.concatMap each names);

  complete =
    case:
    let
      path = names: "${built.${keyOf names (case.loader or { })}}";
      own = unitNames ((case.old or [ ]) ++ (case.new or [ ])) ++ case.running or [ ] ++ case.active or [ ];
    in
    case
    // {
      systems = { old = path (case.old or [ ]); new = path (case.new or [ ]); };
      units = lib.unique own;
    };
in
bare.pkgs.runCommand "switch-cases" {
  document = builtins.toJSON {
    base = "${bare.config.system.build.toplevel}";
    resolver = "${loaderFolder}/resolve.py";
    cases = map complete cases;
  };
  passAsFile = [ "document" ];
} ''
  mkdir $out
  cp "$documentPath" $out/cases.json
  ln -s ${programs}/run-case.py $out/run-case.py
  ln -s ${bare.config.system.build.toplevel} $out/base
''
