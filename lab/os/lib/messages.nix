# How errors name values, places and near misses.
lib:
let
  shorten = text: if builtins.stringLength text > 120 then builtins.substring 0 117 text + "..." else text;

  # One row of the table of Levenshtein's distance for the next letter of `a`.
  nextRow =
    b: row: letter: index:
    builtins.foldl' (
      acc: i:
      acc
      ++ [
        (lib.min (lib.min (lib.last acc + 1) (builtins.elemAt row (i + 1) + 1)) (
          builtins.elemAt row i + (if builtins.elemAt b i == letter then 0 else 1)
        ))
      ]
    ) [ (index + 1) ] (lib.range 0 (builtins.length b - 1));

  distance =
    a: b:
    let
      lettersA = lib.stringToCharacters a;
      lettersB = lib.stringToCharacters b;
      rows =
        lib.foldl
          (state: letter: {
            index = state.index + 1;
            row = nextRow lettersB state.row letter state.index;
          })
          {
            index = 0;
            row = lib.range 0 (builtins.length lettersB);
          }
          lettersA;
    in
    lib.last rows.row;
in
{
  levenshtein = distance;

  # "a string, \"22\"": what was found where something else was expected.
  describeValue =
    value:
    if builtins.isString value then
      "a string, ${shorten (builtins.toJSON (builtins.unsafeDiscardStringContext value))}"
    else if builtins.isInt value then
      "an integer, ${toString value}"
    else if builtins.isFloat value then
      "a floating point number, ${toString value}"
    else if builtins.isBool value then
      "a boolean, ${lib.boolToString value}"
    else if value == null then
      "null"
    else if builtins.isPath value then
      "a path, ${toString value}"
    else if builtins.isFunction value then
      "a function"
    else if lib.isDerivation value then
      "a package, ${value.name or "without a name"}"
    else if builtins.isList value then
      "a list of ${toString (builtins.length value)} elements"
    else
      "a set with the attributes { ${shorten (lib.concatStringsSep " " (builtins.attrNames value))} }";

  showDefinitions = lib.concatMapStrings (def: "\n    - in `${def.file}': ${lib.describeValue def.value}");

  # The candidates that `name` may have been meant to be, best first, at most three.
  nearestNames =
    name: candidates:
    let
      limit = lib.max 2 (builtins.stringLength name / 3);
      lower = lib.toLower name;
      scored = map (candidate: {
        inherit candidate;
        score = distance lower (lib.toLower candidate);
      }) candidates;
      close = builtins.filter (
        entry:
        entry.score <= limit || (builtins.stringLength lower > 2 && lib.hasInfix lower (lib.toLower entry.candidate))
      ) scored;
    in
    map (entry: entry.candidate) (lib.take 3 (lib.sortOn (entry: entry.score) close));

  # The position of attribute `name` in `set` as "file:line", if Nix knows it.
  attrPlace =
    default: name: set:
    let
      position = builtins.unsafeGetAttrPos name set;
    in
    if position == null then default else "${position.file}:${toString position.line}";
}
