# The base system of a virtual machine whose firmware is UEFI and whose loader is systemd-boot.
{
  lab.vm.enable = true;
}
