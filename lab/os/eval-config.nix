# A system from its modules: { config, options, pkgs, lib, extendModules, system, ... }.
{
  modules ? [ ],
  specialArgs ? { },
  system ? "x86_64-linux",
  prefix ? [ ],
  lib ? import ./lib,
}:
let
  pkgs = import ./pkgs { inherit lib system; };
  noUserModules = lib.evalModules {
    inherit prefix;
    modules = import ./modules ++ [ baseArguments ];
    specialArgs = {
      modulesPath = toString ./modules;
      utils = lib.systemdUtils;
    }
    // specialArgs;
  };
  baseArguments = {
    _file = "<eval-config.nix>";
    config._module.args = {
      inherit noUserModules extendModules;
      pkgs = lib.mkDefault pkgs;
    };
  };
  evaluated = noUserModules.extendModules { inherit modules; };
  extendModules = evaluated.extendModules;
in
{
  _type = "configuration";
  inherit lib system extendModules;
  inherit (evaluated) config options;
  inherit (evaluated._module.args) pkgs;
  class = "nixos";
}
