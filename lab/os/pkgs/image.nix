# Which of the lab's two images this is evaluated in. Packages that copy files of
# the image say so in their derivation, so that one store path has one content.
# Nothing but Nix's own version tells a pure evaluation where it runs.
if builtins.compareVersions builtins.nixVersion "2.30" < 0 then
  {
    name = "trixie";
    systemd = "257.13";
    nix = "2.26.3";
  }
else
  {
    name = "sid";
    systemd = "262.1";
    nix = "2.34.8";
  }
