# From the definitions of one option to its value: decide conditions, keep the
# strongest, put them in order, check each, and let the type join them.
#
# A definition is { file; value; }, a location a list of attribute names.
lib:
let
  highestOf = builtins.foldl' lib.min 9999;
  strip = kind: def: if lib.isType kind def.value then def // { value = def.value.content; } else def;
  priorityOf =
    kind: default: def:
    if lib.isType kind def.value then def.value.priority else default;
  overrideOf = priorityOf "override" lib.defaultOverridePriority;
  orderOf = priorityOf "order" lib.defaultOrderPriority;

  discharge =
    defs:
    builtins.concatMap (
      def:
      map (value: {
        inherit (def) file;
        inherit value;
      }) (lib.dischargeProperties def.value)
    ) defs;

  wrongType =
    loc: type: defs:
    throw ''
      The value of the option `${lib.showOption loc}' is of the wrong type.
        expected: ${type.description}
        found:${lib.showDefinitions defs}'';

  undefined =
    loc:
    throw ''
      The option `${lib.showOption loc}' was accessed but has no value defined.
        Set it in one of the modules of this configuration.'';
in
{
  mergeDefinitions =
    loc: type: defs:
    let
      discharged = discharge defs;
      highestPrio = highestOf (map overrideOf discharged);
      strongest = map (strip "override") (builtins.filter (def: overrideOf def == highestPrio) discharged);
      ordered =
        if builtins.any (def: lib.isType "order" def.value) strongest then
          map (strip "order") (lib.sortOn orderOf strongest)
        else
          strongest;
      bad = builtins.filter (def: !type.check def.value) ordered;
    in
    rec {
      inherit highestPrio;
      definitions = ordered;
      isDefined = ordered != [ ];
      value =
        if !isDefined then
          undefined loc
        else if bad != [ ] then
          wrongType loc type bad
        else
          type.merge loc ordered;
    };

  # Ways to join definitions, for types.

  mergeOneOption =
    loc: defs:
    if builtins.length defs == 1 then
      (builtins.head defs).value
    else
      throw ''
        The option `${lib.showOption loc}' is defined more than once, but holds one value.
          Definitions:${lib.showDefinitions defs}'';

  mergeEqualOption =
    loc: defs:
    let
      first = (builtins.head defs).value;
    in
    if builtins.all (def: def.value == first) defs then
      first
    else
      throw ''
        The option `${lib.showOption loc}' has conflicting definitions:${lib.showDefinitions defs}
          Use `lib.mkForce value' or `lib.mkDefault value' to say which one wins.'';

  getValues = map (def: def.value);
  getFiles = map (def: def.file);
}
