# The same without a flake, as a function.
{
  greeting ? "hello",
}:
let
  make = configuration: import /lab/os { inherit configuration; };
in
{
  lockstep.hosts.plain.tags = [ greeting ];
  nixosConfigurations = {
    plain = make { imports = [ /lab/os/base/configuration.nix ]; };
    throws = throw "this host is broken";
  };
}
