# The image's programs as packages: nixpkgs' package names, each a tree of links into /usr.
# The versions are those of Debian trixie; they name the packages and mean nothing else.
{ lib, pkgs }:
let
  # `bin` and `sbin` name programs under /usr, `links` any other file: { "lib/x" = "/usr/lib/x"; }.
  tool =
    pname:
    {
      version,
      bin ? [ ],
      sbin ? [ ],
      links ? { },
      mainProgram ? pname,
      commands ? "",
    }:
    pkgs.runCommand "${pname}-${version}" { inherit pname version; meta = { inherit mainProgram; }; } ''
      mkdir -p $out/bin
      ${lib.optionalString (bin != [ ]) "printf '/usr/bin/%s\\n' ${toString bin} | xargs ln -s -t $out/bin"}
      ${lib.optionalString (sbin != [ ]) "printf '/usr/sbin/%s\\n' ${toString sbin} | xargs ln -s -t $out/bin"}
      ${lib.concatStrings (
        lib.mapAttrsToList (path: target: "mkdir -p $out/${dirOf path}; ln -s ${target} $out/${path}\n") links
      )}
      ${commands}
    '';
  image = import ./image.nix;
  upstream = import ../modules/systemd/upstream-units.nix;
  simple = version: name: tool name { inherit version; bin = [ name ]; };
in
{
  inherit tool;

  bash = tool "bash" { version = "5.2.37"; bin = [ "bash" ]; links."bin/sh" = "/usr/bin/bash"; };
  coreutils = tool "coreutils" {
    version = "9.7";
    mainProgram = "ls";
    bin = lib.splitString " " (
      "[ arch b2sum base32 base64 basename basenc cat chgrp chmod chown cksum comm cp csplit cut date dd df dir dirname du echo env "
      + "expand expr factor false fmt fold groups head hostid id install join kill link ln logname ls md5sum mkdir mkfifo mknod mktemp mv "
      + "nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf ptx pwd readlink realpath rm rmdir runcon seq sha1sum "
      + "sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test timeout "
      + "touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes"
    );
  };
  findutils = tool "findutils" { version = "4.10.0"; bin = [ "find" "xargs" ]; };
  gnugrep = tool "gnugrep" { version = "3.11"; bin = [ "grep" "egrep" "fgrep" ]; mainProgram = "grep"; };
  gnused = tool "gnused" { version = "4.9"; bin = [ "sed" ]; mainProgram = "sed"; };
  gawk = tool "gawk" { version = "5.3.2"; links."bin/awk" = "/usr/bin/awk"; mainProgram = "awk"; };
  diffutils = tool "diffutils" { version = "3.10"; bin = [ "diff" "cmp" ]; mainProgram = "diff"; };
  gnutar = tool "gnutar" { version = "1.35"; bin = [ "tar" ]; mainProgram = "tar"; };
  gzip = tool "gzip" { version = "1.13"; bin = [ "gzip" "gunzip" "zcat" ]; };
  zstd = simple "1.5.7" "zstd";
  curl = simple "8.14.1" "curl";
  git = tool "git" { version = "2.47.3"; bin = [ "git" "git-receive-pack" "git-upload-archive" "git-upload-pack" ]; };
  kmod = tool "kmod" { version = "34.2"; bin = [ "kmod" "lsmod" ]; sbin = [ "modprobe" "depmod" "insmod" "rmmod" "modinfo" ]; };
  python3 = simple "3.13.5" "python3";
  busybox = simple "1.37.0" "busybox";
  libfaketime = tool "libfaketime" {
    version = "0.9.10";
    links."lib/faketime" = "/usr/lib/x86_64-linux-gnu/faketime";
  };
  openssl = simple "3.5.1" "openssl";
  procps = tool "procps" {
    version = "4.0.4";
    mainProgram = "ps";
    bin = [ "free" "kill" "pgrep" "pidof" "pkill" "pmap" "ps" "top" "uptime" "vmstat" "w" "watch" ];
    sbin = [ "sysctl" ];
  };
  util-linux = tool "util-linux" {
    version = "2.41";
    bin = [ "dmesg" "findmnt" "flock" "getopt" "logger" "lsblk" "lsns" "mount" "mountpoint" "nsenter" "script" "setpriv" "setsid" "su" "umount" "unshare" ];
    sbin = [ "agetty" "blkid" "fsck" "losetup" "mkfs" "mkswap" "runuser" "sulogin" "swapoff" "swapon" ];
  };
  shadow = tool "shadow" {
    version = "4.17.4";
    bin = [ "chage" "chfn" "chsh" "gpasswd" "passwd" ];
    sbin = [ "chpasswd" "groupadd" "groupdel" "groupmod" "nologin" "useradd" "userdel" "usermod" "vipw" ];
  };
  hostname = tool "hostname" { version = "3.25"; bin = [ "hostname" "domainname" ]; };
  getent = simple "2.41" "getent";
  iproute2 = tool "iproute2" { version = "6.15.0"; bin = [ "ip" "ss" ]; sbin = [ "bridge" "tc" ]; mainProgram = "ip"; };
  nftables = tool "nftables" { version = "1.1.3"; sbin = [ "nft" ]; mainProgram = "nft"; };
  sudo = tool "sudo" { version = "1.9.16p2"; bin = [ "sudo" "sudoedit" ]; sbin = [ "visudo" ]; };
  dbus = tool "dbus" { version = "1.16.2"; bin = [ "dbus-daemon" "dbus-monitor" "dbus-send" "dbus-uuidgen" ]; };
  nix = tool "nix" {
    version = image.nix;
    bin = [ "nix" "nix-build" "nix-channel" "nix-collect-garbage" "nix-copy-closure" "nix-daemon" "nix-env" "nix-hash" "nix-instantiate" "nix-prefetch-url" "nix-shell" "nix-store" ];
  };
  openssh = tool "openssh" {
    version = "10.0p1";
    mainProgram = "ssh";
    bin = [ "scp" "sftp" "ssh" "ssh-add" "ssh-agent" "ssh-copy-id" "ssh-keygen" "ssh-keyscan" ];
    sbin = [ "sshd" ];
    links."libexec/sftp-server" = "/usr/lib/openssh/sftp-server";
  };
  # The two of a virtual machine's image, which are the real ones.
  systemd-boot = tool "systemd-boot" { version = image.systemd; bin = [ "bootctl" ]; mainProgram = "bootctl"; };
  grub2 = tool "grub" { version = "2.12"; bin = [ "grub-editenv" ]; sbin = [ "grub-reboot" ]; mainProgram = "grub-reboot"; };
  systemd = pkgs.systemdOfVersion image.systemd;
  systemdOfVersion =
    version:
    tool "systemd" {
      inherit version;
      mainProgram = "systemctl";
      bin = [
        "busctl" "hostnamectl" "journalctl" "localectl" "loginctl" "machinectl" "networkctl" "systemctl" "systemd-analyze"
        "systemd-ask-password" "systemd-cat" "systemd-cgls" "systemd-cgtop" "systemd-creds" "systemd-delta" "systemd-detect-virt"
        "systemd-escape" "systemd-id128" "systemd-inhibit" "systemd-machine-id-setup" "systemd-mount" "systemd-notify"
        "systemd-nspawn" "systemd-path" "systemd-run" "systemd-socket-activate" "systemd-stdio-bridge" "systemd-tmpfiles"
        "systemd-tty-ask-password-agent" "systemd-umount" "timedatectl"
      ];
      sbin = [ "halt" "poweroff" "reboot" "shutdown" ];
      # Copies. Of the units, because systemd takes a link into its own directory for
      # an alias, and the unit's file would not be the one in /etc. Of the program,
      # because a switch finds out by its path whether process 1 runs another one.
      commands = ''
        : ${image.name}
        install -D -m 555 -t $out/lib/systemd /usr/lib/systemd/systemd
        mkdir -p $out/example/systemd/system
        cp -L -t $out/example/systemd/system ${lib.concatMapStringsSep " " (unit: "/usr/lib/systemd/system/${unit}") upstream.units}
      '';
    };
}
