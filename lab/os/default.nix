# Plain, flakeless use: `nix-build lab/os --arg configuration ./configuration.nix -A system`.
{
  configuration ? ./base/configuration.nix,
  system ? "x86_64-linux",
  specialArgs ? { },
}:
let
  evaluated = import ./eval-config.nix {
    inherit system specialArgs;
    modules = [ configuration ];
  };
in
{
  inherit (evaluated)
    config
    options
    pkgs
    lib
    ;
  system = evaluated.config.system.build.toplevel;
}
