# The module system: collects modules, matches what they define with what they
# declare, and says where something does not fit.
lib:
let
  moduleKeys = [
    "_class"
    "_file"
    "config"
    "disabledModules"
    "freeformType"
    "imports"
    "key"
    "meta"
    "options"
  ];

  # The file that a module without a path was written in, if Nix knows it.
  writtenIn =
    file: module:
    let
      names = if builtins.isAttrs module then builtins.attrNames module else [ ];
      position = builtins.unsafeGetAttrPos (builtins.head names) module;
    in
    if names == [ ] || position == null || !lib.hasPrefix "<" file then file else position.file;

  # Brings any form of a module into { file; key; imports; options; config; freeform; disabled; }.
  normalise =
    file: key: module:
    let
      explicit = module ? config || module ? options;
      unsupported = builtins.attrNames (removeAttrs module moduleKeys);
      own = toString (module._file or (writtenIn file module));
    in
    if !builtins.isAttrs module then
      throw "The module `${file}' is ${lib.describeValue module}; a module is a set, a function that returns one, or a path to a file with either."
    else if module ? _type then
      throw "The module `${own}' starts with a property such as `mkIf'; write `config = lib.mkIf ...' instead."
    else if explicit && unsupported != [ ] then
      throw "The module `${own}' has the unsupported attribute `${builtins.head unsupported}' beside `config' or `options'. Move it into `config'."
    else
      {
        file = own;
        key = toString (module.key or key);
        imports = module.imports or [ ];
        options = module.options or { };
        config = if explicit then module.config or { } else removeAttrs module (lib.remove "config" moduleKeys);
        freeform = module.freeformType or null;
        disabled = module.disabledModules or [ ];
      };

  # A module as given: a path, a set or a function of the arguments.
  load =
    callModule: file: key: module:
    let
      fromPath = builtins.isPath module || builtins.isString module || module ? outPath;
      here = if fromPath then toString module else file;
    in
    normalise here (if fromPath then here else key) (
      callModule here (if fromPath then import module else module)
    );

  # All modules with what they import, each key once, without the disabled ones.
  # In nixpkgs' order, which decides the order of list elements: the last module
  # of a list first, imports before the module that imports them.
  collect =
    callModule: modulesPath: modules:
    let
      entry = file: name: module: rec {
        loaded = load callModule file name module;
        key = builtins.unsafeDiscardStringContext loaded.key;
      };
      all = map (e: e.loaded) (
        builtins.genericClosure {
          startSet = lib.imap1 (n: entry "<module ${toString n} of the list>" "module ${toString n}") modules;
          operator = e: lib.imap1 (n: entry e.loaded.file "${e.loaded.key}:import ${toString n}") e.loaded.imports;
        }
      );
      keyOf = d: if builtins.isString d && !lib.hasPrefix "/" d then "${modulesPath}/${d}" else toString d;
      disabled = builtins.concatMap (m: map keyOf m.disabled) all;
    in
    lib.reverseList (builtins.filter (m: !builtins.elem m.key disabled) all);

  # What several declarations of one option come to. Only submodules may be
  # declared more than once: each declaration adds options to them.
  joinDeclarations =
    loc: decls:
    let
      types = map (d: d.value.type or lib.types.unspecified) decls;
      first = (builtins.head decls).value;
      joined = lib.types.submoduleWith (
        (builtins.head types).submodules // { modules = builtins.concatMap (type: type.submodules.modules) types; }
      );
    in
    if builtins.length decls == 1 then
      { type = lib.types.unspecified; } // first
    else if builtins.all (type: type.submodules or null != null) types then
      lib.mergeAttrsList (map (d: d.value) decls) // { type = joined; }
    else
      throw "The option `${lib.showOption loc}' is declared more than once, in ${
        lib.showFiles (map (d: d.file) decls)
      }.";

  evalOption =
    loc: decls: defs:
    let
      declared = joinDeclarations loc decls;
      defaultDef = {
        file = (builtins.head decls).file;
        value = lib.mkOptionDefault declared.default;
      };
      merged = lib.mergeDefinitions loc declared.type (defs ++ lib.optional (declared ? default) defaultDef);
      plain = lib.mergeDefinitions loc declared.type defs;
      value =
        if declared.readOnly or false && builtins.length plain.definitions > 1 then
          throw "The option `${lib.showOption loc}' is read-only, but it is set more than once:${lib.showDefinitions plain.definitions}"
        else
          merged.value;
      apply = declared.apply or lib.id;
    in
    declared
    // {
      _type = "option";
      inherit loc;
      inherit (merged) isDefined highestPrio;
      value = builtins.addErrorContext "while evaluating the option `${lib.showOption loc}':" (apply value);
      definitions = lib.getValues merged.definitions;
      definitionsWithLocations = merged.definitions;
      files = lib.getFiles merged.definitions;
      declarations = map (d: d.file) decls;
    };

  spreadAt =
    loc: d:
    map (
      value:
      if builtins.isAttrs value then
        {
          inherit (d) file;
          inherit value;
        }
      else
        throw ''
          The value of `${lib.showOption loc}' is of the wrong type: it is not an option but a group of options.
            expected: attribute set
            found:${
              lib.showDefinitions [
                {
                  inherit (d) file;
                  inherit value;
                }
              ]
            }''
    ) (lib.spreadProperties d.value);

  byName =
    entries:
    builtins.zipAttrsWith (_: lib.id) (
      map (
        d:
        builtins.mapAttrs (_: value: {
          inherit (d) file;
          inherit value;
        }) d.value
      ) entries
    );

  # One level of the option tree: { values; options; unmatched; }.
  evalLevel =
    loc: decls: defs:
    let
      spread = builtins.concatMap (spreadAt loc) defs;
      declaredHere = byName decls;
      definedHere = byName spread;
      child =
        name: ds:
        let
          here = loc ++ [ name ];
          options = builtins.filter (d: lib.isOption d.value) ds;
        in
        if options == [ ] then
          evalLevel here ds (definedHere.${name} or [ ])
        else if builtins.length options == builtins.length ds then
          let
            option = evalOption here ds (definedHere.${name} or [ ]);
          in
          {
            values = option.value;
            options = option;
            unmatched = [ ];
          }
        else
          throw "`${lib.showOption here}' is declared as an option and as a group of options, in ${
            lib.showFiles (map (d: d.file) ds)
          }.";
      children = builtins.mapAttrs child declaredHere;
      strangers = builtins.attrNames (removeAttrs definedHere (builtins.attrNames declaredHere));
      stranger = name: {
        inherit loc name;
        siblings = builtins.attrNames declaredHere;
        defs = definedHere.${name};
        place = lib.attrPlace (builtins.head definedHere.${name}).file name (
          (lib.findFirst (d: d.value ? ${name}) null spread).value
        );
      };
    in
    {
      values = builtins.mapAttrs (_: c: c.values) children;
      options = builtins.mapAttrs (_: c: c.options) children;
      unmatched = map stranger strangers ++ builtins.concatMap (c: c.unmatched) (builtins.attrValues children);
    };

  # Every path of the option tree that ends in `name`, to find what was put in the wrong place.
  pathsEndingIn =
    name: options:
    let
      go =
        path: set:
        builtins.concatMap (
          child:
          let
            here = path ++ [ child ];
            value = set.${child};
          in
          lib.optional (child == name) here
          ++ lib.optionals (child != "_module" && builtins.isAttrs value && !lib.isOption value) (go here value)
        ) (builtins.attrNames set);
    in
    go [ ] options;

  unknownOption =
    prefix: options: u:
    let
      path = u.loc ++ [ u.name ];
      near = map (name: u.loc ++ [ name ]) (lib.nearestNames u.name u.siblings);
      elsewhere = lib.optionals (near == [ ]) (lib.take 3 (map (p: prefix ++ p) (pathsEndingIn u.name options)));
      hints = map (p: "`${lib.showOption p}'") (near ++ elsewhere);
    in
    ''
      The option `${lib.showOption path}' does not exist.
        defined in: ${u.place}
        value: ${lib.describeValue (builtins.head u.defs).value}
    ''
    + (
      if hints != [ ] then
        "  did you mean: ${lib.concatStringsSep ", " hints}"
      else
        "  options of `${lib.showOption u.loc}': ${lib.concatStringsSep ", " (lib.take 12 u.siblings)}"
    );

  # The options that the module system itself reads.
  internalModule = {
    _file = "<the module system>";
    options._module = {
      args = lib.mkOption {
        type = lib.types.lazyAttrsOf lib.types.raw;
        default = { };
        internal = true;
      };
      check = lib.mkOption {
        type = lib.types.bool;
        default = true;
        internal = true;
      };
    };
  };
in
{
  evalModules =
    evaluated@{
      modules,
      specialArgs ? { },
      prefix ? [ ],
      ...
    }:
    let
      args = {
        inherit lib specialArgs;
        inherit (tree) options;
        config = values;
      }
      // specialArgs;
      argumentOf =
        file: name:
        args.${name} or values._module.args.${name}
          or (throw "The module `${file}' asks for the argument `${name}', which nobody gives. Add it to `specialArgs' or `_module.args'.");
      callModule =
        file: module:
        if builtins.isFunction module then
          module (args // builtins.mapAttrs (name: _: argumentOf file name) (builtins.functionArgs module))
        else
          module;

      loaded = collect callModule (specialArgs.modulesPath or "") (modules ++ [ internalModule ]);
      freeforms = builtins.filter (m: m.freeform != null) loaded;
      tree =
        evalLevel prefix
          (map (m: {
            inherit (m) file;
            value = m.options;
          }) loaded)
          (
            map (m: {
              inherit (m) file;
              value = m.config;
            }) loaded
          );

      # Names nobody declared are values of the free-form type, as if written at its root.
      freeformValues = (lib.last freeforms).freeform.merge prefix (
        builtins.concatMap (
          u:
          map (def: {
            inherit (def) file;
            value = lib.setAttrByPath (lib.drop (builtins.length prefix) u.loc ++ [ u.name ]) def.value;
          }) u.defs
        ) tree.unmatched
      );
      values =
        if freeforms == [ ] || tree.unmatched == [ ] then
          tree.values
        else
          lib.recursiveUpdate freeformValues tree.values;

      checked =
        if freeforms != [ ] || !values._module.check || tree.unmatched == [ ] then
          lib.id
        else
          throw (lib.concatMapStringsSep "\n" (unknownOption prefix tree.options) tree.unmatched);
    in
    {
      _type = "configuration";
      options = checked tree.options;
      config = checked (removeAttrs values [ "_module" ]);
      inherit (values) _module;
      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? evaluated.prefix or [ ],
        }:
        lib.evalModules (
          evaluated
          // {
            modules = evaluated.modules ++ modules;
            specialArgs = (evaluated.specialArgs or { }) // specialArgs;
            inherit prefix;
          }
        );
    };

  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };
}
