# specialisation.<name>: variants of the system, inside it.
{
  config,
  lib,
  extendModules,
  noUserModules,
  ...
}:
let
  inherit (lib) mkOption types;
  # A variant has no variants of its own.
  childModule = {
    _file = "<a specialisation>";
    config.specialisation = lib.mkOverride 0 { };
  };
  specialisation = types.submodule (
    { config, name, ... }:
    {
      options = {
        inheritParentConfig = mkOption {
          type = types.bool;
          default = true;
          description = "Whether it starts from this configuration.";
        };
        configuration = mkOption {
          type = types.deferredModule;
          default = { };
          description = "What is different.";
          apply =
            module:
            (
              if config.inheritParentConfig then
                extendModules {
                  modules = [
                    childModule
                    module
                  ];
                }
              else
                noUserModules.extendModules {
                  modules = [
                    childModule
                    module
                  ];
                }
            ).config;
        };
      };
    }
  );
in
{
  options.specialisation = mkOption {
    type = types.attrsOf specialisation;
    default = { };
    description = "The variants.";
  };

  config = lib.mkIf (config.specialisation != { }) {
    system.systemBuilderCommands = ''
      mkdir $out/specialisation
      ${lib.concatStrings (
        lib.mapAttrsToList (
          name: child: "ln -s ${child.configuration.system.build.toplevel} $out/specialisation/${name}\n"
        ) config.specialisation
      )}
    '';
  };
}
