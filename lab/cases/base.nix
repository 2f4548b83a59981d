# What every system of the table has: the lab's base host, with a boot loader that does nothing.
{ lib, pkgs, ... }:
{
  imports = [ ../os/base/configuration.nix ];
  networking.hostName = "cases";
  # Cases that are about boot loaders bring their own.
  system.build.installBootLoader = lib.mkOverride 60 "${pkgs.coreutils}/bin/true";
}
