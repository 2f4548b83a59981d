# Modules of the table that need packages, which TOML cannot name.
{
  other-systemd =
    { pkgs, ... }:
    {
      systemd.package = pkgs.systemdOfVersion "258.1";
    };
}
