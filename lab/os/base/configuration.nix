# The system of a lab host before anybody has deployed to it: the lab's key, the
# lab's lease, sshd, Nix, and a boot loader.
{ ... }:
{
  lab.identity.enable = true;
  boot.loader.systemd-boot.enable = true;
  services.openssh.enable = true;
  networking.useDHCP = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  system.stateVersion = "26.05";
}
