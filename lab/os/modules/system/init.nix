# What the kernel (here: the lab's host) starts as process 1 of a system.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  faults = {
    ok = "";
    panic = ''
      echo "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100" >&2
      exit 1
    '';
    hang = ''
      echo "init does not go on" >&2
      trap "" TERM INT HUP RTMIN+3 RTMIN+4 RTMIN+5
      while :; do sleep 1000; done
    '';
  };
in
{
  options.boot = {
    initrd.systemd.enable = lib.mkEnableOption "systemd in the initrd: `init` is systemd itself, and `prepare-root` activates before it";
    isContainer = lib.mkEnableOption "the shape of a container's system: no kernel, no initrd, no boot loader";
    postBootCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Shell commands run before systemd starts.";
    };
    readOnlyNixStore = mkOption {
      type = types.bool;
      default = true;
      description = "Whether /nix/store is mounted read-only.";
    };
  };

  config.system.build.bootStage2 = pkgs.writeScript "stage-2-init" ''
    #!${pkgs.runtimeShell}

    systemConfig='@out@'
    export HOME=/root
    export PATH=${
      lib.makeBinPath [
        pkgs.coreutils
        pkgs.util-linux
        config.systemd.package
      ]
    }

    echo "<<< NixOS Stage 2 >>>"
    ${faults.${config.lab.init}}

    mkdir -m 0755 -p /etc /etc/nixos /var/lib /var/log /nix/var /run/lock /home
    mkdir -m 1777 -p /tmp
    mkdir -m 0700 -p /root
    rm -f /etc/passwd.lock /etc/group.lock /etc/shadow.lock
    rm -rf /nix/var/nix/gcroots/tmp /nix/var/nix/temproots
    [ -e /etc/fstab ] || : > /etc/fstab
    if ! [ -s /etc/machine-id ]; then
      # Debian's D-Bus was given one when the image was made: the same for every host.
      rm -f /var/lib/dbus/machine-id
      systemd-machine-id-setup
    fi
    ${lib.optionalString config.boot.readOnlyNixStore ''
      if ! mountpoint -q /nix/store; then
        mount --bind /nix/store /nix/store
        mount -o remount,bind,ro /nix/store
      fi
    ''}

    echo "running activation script..."
    "$systemConfig/activate"

    # The path that systemd executes again when it is told to: the current system's, as on NixOS.
    ln -sfn /run/current-system/systemd/lib/systemd/systemd /usr/lib/systemd/systemd.new
    mv -T /usr/lib/systemd/systemd.new /usr/lib/systemd/systemd

    ln -sfn "$systemConfig" /run/booted-system
    mkdir -p /nix/var/nix/gcroots
    ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system

    ${config.boot.postBootCommands}

    ${
      if config.boot.initrd.systemd.enable then
        ''
          # An initrd's systemd would switch to the new root now; here the next program is an argument.
          [ $# = 0 ] || exec "$@"
        ''
      else
        ''
          echo "starting systemd..."
          exec /run/current-system/systemd/lib/systemd/systemd "$@"
        ''
    }
  '';
}
