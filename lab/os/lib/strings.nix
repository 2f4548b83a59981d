# Strings.
lib: {
  inherit (builtins)
    concatStringsSep
    match
    replaceStrings
    split
    stringLength
    substring
    toString
    baseNameOf
    dirOf
    unsafeDiscardStringContext
    ;

  concatStrings = builtins.concatStringsSep "";
  concatMapStrings = f: xs: lib.concatStrings (map f xs);
  concatMapStringsSep =
    sep: f: xs:
    builtins.concatStringsSep sep (map f xs);
  concatLines = xs: lib.concatMapStrings (line: line + "\n") xs;
  concatMapAttrsStringSep =
    sep: f: set:
    builtins.concatStringsSep sep (lib.mapAttrsToList f set);
  optionalString = condition: text: if condition then text else "";
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    let
      extra = builtins.stringLength text - builtins.stringLength suffix;
    in
    extra >= 0 && builtins.substring extra (-1) text == suffix;
  hasInfix = infix: text: builtins.length (builtins.split (lib.escapeRegex infix) "${text}") > 1;
  removePrefix =
    prefix: text:
    if lib.hasPrefix prefix text then builtins.substring (builtins.stringLength prefix) (-1) text else text;
  removeSuffix =
    suffix: text:
    if lib.hasSuffix suffix text then
      builtins.substring 0 (builtins.stringLength text - builtins.stringLength suffix) text
    else
      text;
  splitString =
    separator: text: builtins.filter builtins.isString (builtins.split (lib.escapeRegex separator) "${text}");
  stringToCharacters = text: builtins.genList (i: builtins.substring i 1 text) (builtins.stringLength text);
  escape = chars: builtins.replaceStrings chars (map (c: "\\${c}") chars);
  escapeRegex = lib.escape (lib.stringToCharacters "\\[{()^$?*+|.");
  escapeShellArg =
    arg:
    let
      text = toString arg;
    in
    if builtins.match "[[:alnum:],._+:@%/-]+" text != null then
      text
    else
      "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'";
  escapeShellArgs = lib.concatMapStringsSep " " lib.escapeShellArg;
  lowerChars = lib.stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperChars = lib.stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  toLower = builtins.replaceStrings lib.upperChars lib.lowerChars;
  toUpper = builtins.replaceStrings lib.lowerChars lib.upperChars;
  trim =
    text:
    let
      inner = builtins.match "[[:space:]]*(.*[^[:space:]])[[:space:]]*" text;
    in
    if inner == null then "" else builtins.head inner;
  fixedWidthNumber =
    width: n:
    let
      text = toString n;
    in
    if builtins.stringLength text >= width then text else lib.fixedWidthNumber width "0${text}";
  toInt =
    text:
    let
      value = builtins.fromJSON text;
    in
    if builtins.isInt value then value else throw "toInt: `${text}' is not an integer";
  makeBinPath = lib.makeSearchPath "bin";
  makeSearchPath = sub: packages: lib.concatMapStringsSep ":" (package: "${package}/${sub}") packages;
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: !lib.versionOlder a b;
  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
  mdDoc = text: text;
  strings = {
    inherit (lib)
      concatStringsSep
      hasPrefix
      hasSuffix
      hasInfix
      optionalString
      splitString
      toLower
      toUpper
      ;
    inherit (builtins) toJSON;
  };
}
