# environment.systemPackages (the system's `sw`), variables and the shells' start.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.environment;
  variables =
    description:
    mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            (types.listOf types.str)
            types.int
            types.str
            types.path
          ]
        )
      );
      default = { };
      apply = lib.mapAttrs (
        _: value: if builtins.isList value then lib.concatStringsSep ":" value else toString value
      );
      inherit description;
    };
  searchPath = "/run/wrappers/bin:/etc/profiles/per-user/$USER/bin:/nix/var/nix/profiles/default/bin:/run/current-system/sw/bin";
in
{
  options.environment = {
    systemPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages of everyone.";
    };
    defaultPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages that need not be there.";
    };
    pathsToLink = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Directories of packages to link.";
    };
    extraOutputsToInstall = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Accepted, without effect here.";
    };
    variables = variables "Environment variables of shells.";
    sessionVariables = variables "Environment variables of sessions.";
    shellAliases = mkOption {
      type = types.attrsOf (types.nullOr types.str);
      default = { };
      description = "Aliases of shells.";
    };
    interactiveShellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Run by interactive shells.";
    };
    shellInit = mkOption {
      type = types.lines;
      default = "";
      description = "Run by all login shells.";
    };
  };
  options.system.path = mkOption {
    internal = true;
    type = types.package;
    description = "The system's `sw`.";
  };

  config = {
    environment.pathsToLink = [
      "/bin"
      "/sbin"
      "/lib"
      "/etc/xdg"
      "/share"
    ];
    environment.systemPackages = cfg.defaultPackages ++ [
      pkgs.bash
      pkgs.coreutils
      pkgs.curl
      pkgs.diffutils
      pkgs.findutils
      pkgs.gawk
      pkgs.getent
      pkgs.gnugrep
      pkgs.gnused
      pkgs.gnutar
      pkgs.gzip
      pkgs.hostname
      pkgs.iproute2
      pkgs.kmod
      pkgs.openssh
      pkgs.procps
      pkgs.shadow
      pkgs.util-linux
      pkgs.zstd
      config.systemd.package
    ];
    system.path = pkgs.buildEnv {
      name = "system-path";
      paths = cfg.systemPackages;
      pathsToLink = lib.unique cfg.pathsToLink;
    };

    environment.etc = {
      set-environment.text =
        "export PATH=${searchPath}\n"
        + lib.concatLines (
          lib.mapAttrsToList (name: value: "export ${name}=${lib.escapeShellArg value}") (
            cfg.sessionVariables // cfg.variables
          )
        )
        + cfg.shellInit;
      profile.text = "[ -n \"$__ETC_PROFILE_DONE\" ] || . /etc/set-environment\n__ETC_PROFILE_DONE=1\n";
      "bash.bashrc".text =
        "[ -n \"$__ETC_PROFILE_DONE\" ] || . /etc/profile\n"
        + lib.concatLines (
          lib.mapAttrsToList (name: value: "alias ${name}=${lib.escapeShellArg value}") (
            lib.filterAttrs (_: v: v != null) cfg.shellAliases
          )
        )
        + cfg.interactiveShellInit;
      # What pam_env gives to sessions that start no login shell, such as `ssh host command`.
      environment.text =
        "PATH=${lib.replaceStrings [ "/etc/profiles/per-user/$USER/bin:" ] [ "" ] searchPath}\n"
        + lib.concatLines (lib.mapAttrsToList (name: value: "${name}=${builtins.toJSON value}") cfg.sessionVariables);
    };
  };
}
