# The base system of a virtual machine whose firmware is a BIOS and whose loader is GRUB.
{
  lab.vm.enable = true;
  boot.loader.systemd-boot.enable = false;
  boot.loader.grub = {
    enable = true;
    device = "/dev/vdb";
  };
}
