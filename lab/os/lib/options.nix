# Declaring options.
lib: {
  mkOption = attrs: attrs // { _type = "option"; };
  isOption = lib.isType "option";

  mkEnableOption =
    what:
    lib.mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${what}.";
    };

  mkPackageOption =
    pkgs: name:
    {
      default ? name,
      nullable ? false,
      pkgsText ? "pkgs",
      example ? null,
      extraDescription ? "",
    }:
    let
      path = lib.toList default;
    in
    lib.mkOption {
      type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
      default = if default == null then null else lib.getAttrFromPath path pkgs;
      defaultText = "${pkgsText}.${builtins.concatStringsSep "." (if default == null then [ ] else path)}";
      description = "The ${lib.concatStringsSep "." (lib.toList name)} package to use. ${extraDescription}";
    };

  mkSinkUndeclaredOptions =
    attrs:
    lib.mkOption (
      {
        type = lib.types.unspecified;
        apply = _: null;
      }
      // attrs
    );

  # `systemd.services."a.b".script`, as it would be written.
  showOption =
    path:
    lib.concatStringsSep "." (
      map (
        name:
        if builtins.match "[a-zA-Z_][a-zA-Z0-9_'-]*|<.*>|[*]|[[].*" name != null then name else builtins.toJSON name
      ) path
    );
  showFiles = files: lib.concatStringsSep " and " (map (file: "`${file}'") files);
}
