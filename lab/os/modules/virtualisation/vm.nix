# A virtual machine of the lab: Linux, an initrd and a boot loader that are real. The image has the kernel and
# its modules under /lab/vm, where the operator host finds them, too.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.lab.vm;

  kernel = pkgs.runCommand "linux-vm" { pname = "linux"; } ''
    mkdir -p $out
    cp /lab/vm/bzImage $out/bzImage
  '';
  initrd = pkgs.runCommand "initrd-linux-vm" { } ''
    mkdir -p $out tree/bin
    cp -r /lab/vm/modules tree/modules
    cp /usr/bin/busybox tree/bin/busybox
    for name in cat cp echo hostname insmod mkdir mount sh sleep switch_root touch; do
      ln -s busybox tree/bin/$name
    done
    install -m 755 ${../../programs/vm-initrd.sh} tree/init
    find tree -exec touch -h -d @1 {} +
    (cd tree && find . | sort | busybox cpio -o -H newc) > $out/initrd
  '';
in
{
  options.lab.vm = {
    enable = lib.mkEnableOption "the kernel, initrd and boot loader of a virtual machine";
    root = mkOption {
      type = types.str;
      default = "/dev/vda";
      description = "The device of the root file system.";
    };
  };

  config = lib.mkIf cfg.enable {
    system.build.kernel = lib.mkForce kernel;
    system.build.initialRamdisk = lib.mkForce initrd;
    boot.kernelParams = [
      "console=ttyS0"
      "root=${cfg.root}"
      # Nothing attacks a processor that is a program, and it is slow enough.
      "mitigations=off"
    ];
    boot.loader.timeout = lib.mkDefault 0;
    fileSystems."/".noCheck = true;
    # A user's manager starts once, not for every login.
    services.logind.settings.Login.UserStopDelaySec = "infinity";
    # There is no udev, so nobody would say that the console's device is there.
    systemd.generators.systemd-getty-generator = "/dev/null";
    environment.systemPackages = [ pkgs.systemd-boot pkgs.grub2 ];
  };
}
