# Options that moved or went.
lib: {
  mkRemovedOptionModule =
    path: replacement:
    { options, ... }:
    let
      option = lib.getAttrFromPath path options;
    in
    {
      options = lib.setAttrByPath path (
        lib.mkOption {
          visible = false;
          apply = _: throw "The option `${lib.showOption path}' can no longer be used. ${replacement}";
        }
      );
      config.assertions = [
        {
          assertion = !option.isDefined;
          message = "The option `${lib.showOption path}', set in ${lib.showFiles option.files}, no longer has any effect; please remove it. ${replacement}";
        }
      ];
    };

  mkRenamedOptionModule = lib.forwardOption true;
  mkAliasOptionModule = lib.forwardOption false;

  forwardOption =
    warn: from: to:
    { config, options, ... }:
    let
      old = lib.getAttrFromPath from options;
    in
    {
      options = lib.setAttrByPath from (
        lib.mkOption {
          visible = false;
          apply = _: lib.getAttrFromPath to config;
        }
      );
      config = lib.mkMerge (
        [ (lib.setAttrByPath to (lib.mkMerge (map (lib.mkOverride old.highestPrio) old.definitions))) ]
        ++ lib.optional (warn && options ? warnings) {
          warnings = lib.optional old.isDefined "The option `${lib.showOption from}', set in ${lib.showFiles old.files}, has been renamed to `${lib.showOption to}'.";
        }
      );
    };
}
