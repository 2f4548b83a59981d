# Properties: what a module writes around a value to say when it holds, how
# strong it is and where it goes among others.
lib: {
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkAssert = condition: message: lib.mkIf (if condition then true else throw message);

  # Smaller wins. 1500 is an option's own default, 100 a plain definition.
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkOptionDefault = lib.mkOverride 1500;
  mkDefault = lib.mkOverride 1000;
  mkImageMediaOverride = lib.mkOverride 60;
  mkForce = lib.mkOverride 50;
  mkVMOverride = lib.mkOverride 10;
  defaultOverridePriority = 100;

  # Smaller comes first. 1000 is a plain definition.
  mkOrder = priority: content: {
    _type = "order";
    inherit priority content;
  };
  mkBefore = lib.mkOrder 500;
  mkAfter = lib.mkOrder 1500;
  defaultOrderPriority = 1000;

  isType = type: value: builtins.isAttrs value && value._type or null == type;

  # Moves the properties around a set onto its attributes, so that one
  # attribute can be known without knowing the condition of another.
  # A list, because `mkMerge` holds several sets.
  spreadProperties =
    value:
    if lib.isType "merge" value then
      builtins.concatMap lib.spreadProperties value.contents
    else if lib.isType "if" value then
      map (builtins.mapAttrs (_: lib.mkIf value.condition)) (lib.spreadProperties value.content)
    else if lib.isType "override" value then
      map (builtins.mapAttrs (_: lib.mkOverride value.priority)) (lib.spreadProperties value.content)
    else
      [ value ];

  # The values that a definition really makes: conditions decided, merges opened.
  dischargeProperties =
    value:
    if lib.isType "merge" value then
      builtins.concatMap lib.dischargeProperties value.contents
    else if lib.isType "if" value then
      if !builtins.isBool value.condition then
        throw "the condition of a `mkIf' is ${lib.describeValue value.condition}, not a boolean"
      else if value.condition then
        lib.dischargeProperties value.content
      else
        [ ]
    else
      [ value ];
}
