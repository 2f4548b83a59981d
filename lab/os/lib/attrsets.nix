# Attribute sets.
lib: {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    getAttr
    hasAttr
    intersectAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;

  nameValuePair = name: value: { inherit name value; };
  mapAttrs' = f: set: builtins.listToAttrs (map (name: f name set.${name}) (builtins.attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (builtins.attrNames set);
  attrsToList = lib.mapAttrsToList lib.nameValuePair;
  concatMapAttrs = f: set: builtins.foldl' (acc: part: acc // part) { } (lib.mapAttrsToList f set);
  filterAttrs =
    keep: set: removeAttrs set (builtins.filter (name: !keep name set.${name}) (builtins.attrNames set));
  genAttrs = names: f: builtins.listToAttrs (map (name: lib.nameValuePair name (f name)) names);
  optionalAttrs = condition: set: if condition then set else { };
  mergeAttrsList = builtins.foldl' (acc: set: acc // set) { };
  foldlAttrs =
    f: init: set:
    builtins.foldl' (acc: name: f acc name set.${name}) init (builtins.attrNames set);
  isDerivation = value: builtins.isAttrs value && value.type or null == "derivation";
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if builtins.isAttrs set && set ? ${builtins.head path} then
      lib.attrByPath (builtins.tail path) default set.${builtins.head path}
    else
      default;
  hasAttrByPath =
    path: set:
    path == [ ]
    || (
      builtins.isAttrs set
      && set ? ${builtins.head path}
      && lib.hasAttrByPath (builtins.tail path) set.${builtins.head path}
    );
  getAttrFromPath = path: set: lib.attrByPath path (throw "cannot find attribute `${lib.showOption path}'") set;
  attrVals = names: set: map (name: set.${name}) names;
  setAttrByPath =
    path: value:
    if path == [ ] then value else { ${builtins.head path} = lib.setAttrByPath (builtins.tail path) value; };
  recursiveUpdate =
    left: right:
    left
    // builtins.mapAttrs (
      name: value:
      if builtins.isAttrs value && builtins.isAttrs (left.${name} or null) && !lib.isDerivation value then
        lib.recursiveUpdate left.${name} value
      else
        value
    ) right;
  mapAttrsRecursive =
    f:
    let
      go =
        path:
        builtins.mapAttrs (
          name: value: if builtins.isAttrs value then go (path ++ [ name ]) value else f (path ++ [ name ]) value
        );
    in
    go [ ];
  getBin = package: package.bin or package;
  getLib = package: package.lib or package;
}
