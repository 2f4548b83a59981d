# The types of options. A type says what it accepts (`check`, of one
# definition) and how several definitions become one value (`merge`).
lib:
let
  inherit (lib) types mkOptionType mergeDefinitions;

  # For scalars: equal definitions are one definition.
  scalar =
    name: description: check:
    mkOptionType {
      inherit name description check;
      merge = lib.mergeEqualOption;
    };

  # Several types in a description need brackets: `list of (string or integer)`.
  nested =
    type:
    if builtins.match ".* or .*" type.description != null then "(${type.description})" else type.description;

  intBetween =
    low: high: value:
    builtins.isInt value && value >= low && value <= high;
  numeral =
    bits:
    let
      high = builtins.foldl' (acc: _: acc * 2) 1 (lib.range 1 bits) - 1;
    in
    scalar "unsignedInt${toString bits}"
      "${toString bits} bit unsigned integer; between 0 and ${toString high} (both inclusive)"
      (intBetween 0 high);

  isPathLike =
    value:
    builtins.isPath value || ((builtins.isString value || value ? outPath) && lib.hasPrefix "/" "${value}");
  isInStore = value: isPathLike value && lib.hasPrefix builtins.storeDir "${value}";

  attrsLike =
    lazy: elem:
    mkOptionType {
      name = if lazy then "lazyAttrsOf" else "attrsOf";
      description = "${if lazy then "lazy " else ""}attribute set of ${nested elem}";
      check = builtins.isAttrs;
      merge =
        loc: defs:
        let
          spread = builtins.concatMap (
            def:
            map (
              value:
              builtins.mapAttrs (_: value: {
                inherit (def) file;
                inherit value;
              }) value
            ) (lib.spreadProperties def.value)
          ) defs;
          merged = builtins.zipAttrsWith (name: mergeDefinitions (loc ++ [ name ]) elem) spread;
          present = if lazy then merged else lib.filterAttrs (_: entry: entry.isDefined) merged;
        in
        builtins.mapAttrs (_: entry: entry.value) present;
      getSubOptions = prefix: elem.getSubOptions (prefix ++ [ "<name>" ]);
      nestedTypes.elemType = elem;
    };

  listLike =
    elem:
    mkOptionType {
      name = "listOf";
      description = "list of ${nested elem}";
      check = builtins.isList;
      merge =
        loc: defs:
        let
          entries = lib.concatLists (
            lib.imap1 (
              n: def:
              lib.imap1 (
                m: value:
                mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) elem [
                  {
                    inherit (def) file;
                    inherit value;
                  }
                ]
              ) def.value
            ) defs
          );
        in
        map (entry: entry.value) (builtins.filter (entry: entry.isDefined) entries);
      getSubOptions = prefix: elem.getSubOptions (prefix ++ [ "*" ]);
      nestedTypes.elemType = elem;
    };

  # Joins whatever it is given: sets deeply, lists one after the other.
  mergeAnything =
    loc: defs:
    let
      values = lib.getValues defs;
    in
    if builtins.all lib.isDerivation values then
      lib.mergeEqualOption loc defs
    else if builtins.all builtins.isAttrs values then
      (types.lazyAttrsOf types.anything).merge loc defs
    else if builtins.all builtins.isList values then
      lib.concatLists values
    else if builtins.length defs == 1 && builtins.isFunction (builtins.head values) then
      builtins.head values
    else
      lib.mergeEqualOption loc defs;
in
{
  isOptionType = lib.isType "option-type";

  mkOptionType =
    {
      name,
      description ? name,
      check ? _: true,
      merge ? lib.mergeOneOption,
      getSubOptions ? _: { },
      nestedTypes ? { },
      submodules ? null,
      ...
    }:
    {
      _type = "option-type";
      inherit
        name
        description
        check
        merge
        getSubOptions
        nestedTypes
        submodules
        ;
    };

  types = {
    raw = mkOptionType {
      name = "raw";
      description = "raw value";
    };
    unspecified = mkOptionType {
      name = "unspecified";
      description = "unspecified value";
      merge = mergeAnything;
    };
    anything = mkOptionType {
      name = "anything";
      merge = mergeAnything;
    };
    optionType = mkOptionType {
      name = "optionType";
      check = lib.isOptionType;
    };
    functionTo =
      elem:
      mkOptionType {
        name = "functionTo";
        description = "function that evaluates to ${nested elem}";
        check = builtins.isFunction;
        merge =
          loc: defs: arg:
          (mergeDefinitions (loc ++ [ "<function body>" ]) elem (map (def: def // { value = def.value arg; }) defs))
          .value;
      };

    bool = scalar "bool" "boolean" builtins.isBool;
    boolByOr = mkOptionType {
      name = "boolByOr";
      description = "boolean (merged using or)";
      check = builtins.isBool;
      merge = _: defs: builtins.any (def: def.value) defs;
    };
    int = scalar "int" "signed integer" builtins.isInt;
    float = scalar "float" "floating point number" builtins.isFloat;
    number = types.either types.int types.float;
    ints = {
      between =
        low: high:
        scalar "intBetween" "integer between ${toString low} and ${toString high} (both inclusive)" (
          intBetween low high
        );
      unsigned = scalar "unsignedInt" "unsigned integer, meaning >=0" (value: builtins.isInt value && value >= 0);
      positive = scalar "positiveInt" "positive integer, meaning >0" (value: builtins.isInt value && value > 0);
      u8 = numeral 8;
      u16 = numeral 16;
      u32 = numeral 32;
    };
    port = types.ints.u16;

    str = scalar "str" "string" builtins.isString;
    nonEmptyStr = scalar "nonEmptyStr" "non-empty string" (
      value: builtins.isString value && builtins.match "[[:space:]]*" value == null
    );
    singleLineStr = scalar "singleLineStr" "(optionally newline-terminated) single-line string" (
      value: builtins.isString value && builtins.match "[^\n\r]*\n?" value != null
    );
    strMatching =
      pattern:
      scalar "strMatching" "string matching the pattern ${pattern}" (
        value: builtins.isString value && builtins.match pattern value != null
      );
    separatedString =
      separator:
      mkOptionType {
        name = "separatedString";
        description = "strings concatenated with ${builtins.toJSON separator}";
        check = builtins.isString;
        merge = _: defs: builtins.concatStringsSep separator (lib.getValues defs);
      };
    lines = types.separatedString "\n";
    commas = types.separatedString ",";
    envVar = types.separatedString ":";
    passwdEntry =
      type:
      lib.addCheck type (value: builtins.match "[^:\n]*" value != null)
      // {
        description = "${type.description}, not containing newlines or colons";
      };
    enum =
      values:
      scalar "enum" "one of ${lib.concatMapStringsSep ", " builtins.toJSON values}" (
        value: builtins.elem value values
      );

    path = scalar "path" "absolute path" isPathLike;
    pathInStore = scalar "pathInStore" "path in the Nix store" isInStore;
    externalPath = scalar "externalPath" "absolute path outside the Nix store" (
      value: builtins.isString value && lib.hasPrefix "/" value && !lib.hasPrefix builtins.storeDir value
    );
    package = mkOptionType {
      name = "package";
      check = value: lib.isDerivation value || isInStore value;
      merge = lib.mergeOneOption;
    };
    shellPackage = types.package // {
      description = "package usable as a login shell";
    };

    nullOr =
      elem:
      mkOptionType {
        name = "nullOr";
        description = "null or ${nested elem}";
        check = value: value == null || elem.check value;
        merge =
          loc: defs:
          if builtins.all (def: def.value == null) defs then
            null
          else if builtins.any (def: def.value == null) defs then
            lib.mergeEqualOption loc defs
          else
            elem.merge loc defs;
        inherit (elem) getSubOptions;
        nestedTypes.elemType = elem;
      };
    either =
      a: b:
      mkOptionType {
        name = "either";
        description = "${a.description} or ${nested b}";
        check = value: a.check value || b.check value;
        merge =
          loc: defs:
          if builtins.all (def: a.check def.value) defs then
            a.merge loc defs
          else if builtins.all (def: b.check def.value) defs then
            b.merge loc defs
          else
            lib.mergeEqualOption loc defs;
        nestedTypes = {
          left = a;
          right = b;
        };
      };
    oneOf = choices: builtins.foldl' types.either (builtins.head choices) (builtins.tail choices);
    coercedTo =
      from: convert: to:
      mkOptionType {
        name = "coercedTo";
        description = "${to.description} or ${nested from} convertible to it";
        check = value: (from.check value && to.check (convert value)) || to.check value;
        merge =
          loc: defs:
          to.merge loc (map (def: if from.check def.value then def // { value = convert def.value; } else def) defs);
        inherit (to) getSubOptions;
      };

    listOf = listLike;
    nonEmptyListOf =
      elem: lib.addCheck (listLike elem) (xs: xs != [ ]) // { description = "non-empty list of ${nested elem}"; };
    attrsOf = attrsLike false;
    lazyAttrsOf = attrsLike true;
    attrs = mkOptionType {
      name = "attrs";
      description = "attribute set";
      check = builtins.isAttrs;
      merge = _: defs: lib.mergeAttrsList (lib.getValues defs);
    };
    uniq = type: type // { merge = lib.mergeOneOption; };
    unique = { message }: types.uniq;
    addCheck = lib.addCheck;

    submodule =
      modules:
      types.submoduleWith {
        modules = lib.toList modules;
        shorthandOnlyDefinesConfig = true;
      };
    deferredModule = mkOptionType {
      name = "deferredModule";
      description = "module";
      check = value: builtins.isAttrs value || builtins.isFunction value || builtins.isPath value;
      merge = loc: defs: {
        imports = map (
          def: lib.setDefaultModuleLocation "${def.file}, via option ${lib.showOption loc}" def.value
        ) defs;
      };
    };
    submoduleWith =
      {
        modules,
        specialArgs ? { },
        shorthandOnlyDefinesConfig ? false,
        description ? "submodule",
        class ? null,
      }:
      let
        evaluate =
          loc: extra:
          lib.evalModules {
            modules =
              modules
              ++ [
                {
                  _file = "<the name of this submodule>";
                  config._module.args.name = lib.last loc;
                }
              ]
              ++ extra;
            inherit specialArgs;
            prefix = loc;
          };
        asModule =
          def:
          if builtins.isAttrs def.value && shorthandOnlyDefinesConfig then
            {
              _file = def.file;
              config = def.value;
            }
          else
            lib.setDefaultModuleLocation def.file def.value;
      in
      mkOptionType {
        name = "submodule";
        inherit description;
        check = value: builtins.isAttrs value || builtins.isFunction value || builtins.isPath value;
        merge = loc: defs: (evaluate loc (map asModule defs)).config;
        getSubOptions = prefix: (evaluate (if prefix == [ ] then [ "<name>" ] else prefix) [ ]).options;
        submodules = {
          inherit
            modules
            specialArgs
            shorthandOnlyDefinesConfig
            description
            class
            ;
        };
      };
  };

  addCheck = type: check: type // { check = value: type.check value && check value; };
}
