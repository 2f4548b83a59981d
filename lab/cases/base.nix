# What every system of the table has: the lab's base host.
{
  imports = [ ../os/base/configuration.nix ];
  networking.hostName = "cases";
}
