# The activation script: snippets in the order of their dependencies. A failing
# snippet is reported and makes the whole fail, but everything after it still
# runs and /run/current-system still moves.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  snippet = types.submodule {
    options = {
      text = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands.";
      };
      deps = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Snippets that run before.";
      };
      supportsDryActivation = mkOption {
        type = types.bool;
        default = false;
        description = "Whether it also runs in a dry activation, where $NIXOS_ACTION is dry-activate.";
      };
    };
  };
  snippets = mkOption {
    type = types.attrsOf (types.coercedTo types.str (text: { inherit text; }) snippet);
    default = { };
    description = "Snippets by name.";
  };

  # Names in an order in which each comes after its `deps`, otherwise alphabetical.
  ordered =
    set:
    let
      visit =
        trail: acc: name:
        if builtins.elem name acc then
          acc
        else if builtins.elem name trail then
          throw "The activation scripts ${
            lib.concatStringsSep " -> " (trail ++ [ name ])
          } depend on each other in a circle."
        else if !set ? ${name} then
          throw "The activation script `${lib.last trail}' depends on `${name}', which does not exist."
        else
          builtins.foldl' (visit (trail ++ [ name ])) acc set.${name}.deps ++ [ name ];
    in
    builtins.foldl' (visit [ ]) [ ] (builtins.attrNames set);

  body =
    set:
    lib.concatMapStrings (
      name:
      lib.optionalString (set.${name}.text != "") ''
        #### Activation script snippet ${name}:
        _localstatus=0
        ${set.${name}.text}
        if (( _localstatus > 0 )); then
          printf "Activation script snippet '%s' failed (%s)\n" "${name}" "$_localstatus"
        fi

      ''
    ) (ordered set);

  # A dry activation keeps the order and runs only what supports it.
  dry = lib.mapAttrs (_: s: s // { text = lib.optionalString s.supportsDryActivation s.text; });

  path = lib.makeBinPath [
    pkgs.coreutils
    pkgs.gnugrep
    pkgs.gnused
    pkgs.findutils
    pkgs.getent
    pkgs.shadow
    pkgs.hostname
    pkgs.util-linux
    pkgs.openssl
    pkgs.python3
    config.systemd.package
  ];
  prologue = ''
    #!${pkgs.runtimeShell}

    systemConfig='@out@'
    export PATH=${path}

    _status=0
    trap "_status=1 _localstatus=\$?" ERR
    umask 0022

  '';
  epilogue = ''
    # The readlink is there because $systemConfig may be a link, and what is a
    # root of the garbage collector must name the store path.
    ln -sfn "$(readlink -f "$systemConfig")" /run/current-system
    mkdir -p /nix/var/nix/gcroots
    ln -sfn /run/current-system /nix/var/nix/gcroots/current-system

    exit $_status
  '';
in
{
  options.system = {
    activationScripts = snippets;
    userActivationScripts = snippets;
  };

  config = {
    system.build.activate = pkgs.writeScript "activate" (
      prologue + body config.system.activationScripts + epilogue
    );
    system.build.dryActivate = pkgs.writeScript "dry-activate" (
      prologue + body (dry config.system.activationScripts) + "exit $_status\n"
    );

    system.activationScripts.var = ''
      mkdir -m 0755 -p /var/lib/nixos /var/empty
      mkdir -m 1777 -p /var/tmp
      chmod 0555 /var/empty
    '';

    systemd.user.services.nixos-activation = {
      description = "Run user-specific NixOS activation";
      script =
        "_status=0\ntrap \"_status=1 _localstatus=\\$?\" ERR\nset +e\n"
        + body config.system.userActivationScripts
        + "exit $_status";
      unitConfig.ConditionUser = "!@system";
      serviceConfig.Type = "oneshot";
      wantedBy = [ "default.target" ];
    };
  };
}
