# Functions about nothing in particular.
lib: {
  inherit (builtins)
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isPath
    isString
    functionArgs
    seq
    deepSeq
    trace
    tryEval
    throw
    abort
    toJSON
    fromJSON
    pathExists
    readFile
    readDir
    lessThan
    add
    sub
    mul
    div
    bitAnd
    ;

  id = x: x;
  const = x: _: x;
  flip =
    f: a: b:
    f b a;
  pipe = builtins.foldl' (value: f: f value);
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;
  boolToString = b: if b then "true" else "false";
  mapNullable = f: x: if x == null then null else f x;
  defaultTo = default: x: if x == null then default else x;
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);
  warn = message: builtins.trace "evaluation warning: ${message}";
  warnIf = condition: message: if condition then lib.warn message else lib.id;
  throwIf = condition: message: if condition then throw message else lib.id;
  throwIfNot = condition: lib.throwIf (!condition);
  inPureEvalMode = !builtins ? currentSystem;
  trivial = { inherit (lib) release; };

  # The NixOS release whose option names and switching rules are modelled.
  release = "26.05";
}
