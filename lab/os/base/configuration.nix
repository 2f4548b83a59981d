# The system of a lab host before anybody has deployed to it: the lab's key, the
# lab's lease, sshd, Nix, and a boot loader. Plain definitions win over all of it.
{ lib, ... }:
{
  lab.identity.enable = lib.mkDefault true;
  boot.loader.systemd-boot.enable = lib.mkDefault true;
  services.openssh.enable = lib.mkDefault true;
  networking.useDHCP = lib.mkDefault true;
  fileSystems."/" = {
    device = lib.mkDefault "/dev/disk/by-label/nixos";
    fsType = lib.mkDefault "ext4";
  };
  system.stateVersion = lib.mkDefault "26.05";
}
