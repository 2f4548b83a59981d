# containers.<name>: the units and files of nixos-containers. What runs in a
# container is a stand-in: a process that names the container's system.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.containers;
  text =
    default: description:
    mkOption {
      type = types.nullOr types.str;
      inherit default description;
    };

  container = types.submodule (
    {
      name,
      config,
      options,
      ...
    }:
    {
      options = {
        config = mkOption {
          type = types.deferredModule;
          description = "The container's configuration.";
          apply =
            module:
            (import ../../eval-config.nix {
              modules = [
                {
                  _file = "<containers.${name}>";
                  config = {
                    boot.isContainer = true;
                    networking.hostName = lib.mkDefault name;
                    networking.useDHCP = lib.mkDefault false;
                    users.allowNoPasswordLogin = lib.mkDefault true;
                  };
                }
                module
              ];
            }).config;
        };
        path = mkOption {
          type = types.path;
          description = "The container's system.";
        };
        autoStart = lib.mkEnableOption "starting it at boot";
        ephemeral = lib.mkEnableOption "an empty root at each start";
        restartIfChanged = mkOption {
          type = types.bool;
          default = true;
          description = "Whether a switch restarts it.";
        };
        timeoutStartSec = mkOption {
          type = types.str;
          default = "1min";
          description = "How long it may take to start.";
        };
        privateNetwork = lib.mkEnableOption "a network of its own";
        hostAddress = text null "The host's address.";
        localAddress = text null "The container's address.";
        bindMounts = mkOption {
          type = types.attrsOf (
            types.submodule (
              { name, ... }:
              {
                options = {
                  mountPoint = mkOption {
                    type = types.str;
                    default = name;
                    description = "Where in the container.";
                  };
                  hostPath = text null "Where on the host.";
                  isReadOnly = mkOption {
                    type = types.bool;
                    default = true;
                    description = "Whether it is read-only.";
                  };
                };
              }
            )
          );
          default = { };
          description = "Directories of the host.";
        };
        extraFlags = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Further flags of systemd-nspawn.";
        };
      };
      config.path = lib.mkIf options.config.isDefined (lib.mkDefault "${config.config.system.build.toplevel}");
    }
  );

  bindFlags =
    c:
    lib.concatMapStrings (
      m:
      " --bind${lib.optionalString m.isReadOnly "-ro"}=${
         lib.optionalString (m.hostPath != null) "${m.hostPath}:"
       }${m.mountPoint}"
    ) (builtins.attrValues c.bindMounts);
  bool = b: if b then "1" else "0";
  confText = c: ''
    SYSTEM_PATH=${c.path}
    PRIVATE_NETWORK=${bool c.privateNetwork}
    ${lib.optionalString (c.hostAddress != null) "HOST_ADDRESS=${c.hostAddress}"}
    ${lib.optionalString (c.localAddress != null) "LOCAL_ADDRESS=${c.localAddress}"}
    AUTO_START=${bool c.autoStart}
    EXTRA_NSPAWN_FLAGS="${bindFlags c} ${lib.concatStringsSep " " c.extraFlags}"
  '';

  # The unit of one container, or of `container@` itself for those made by hand.
  unit = ephemeral: timeout: {
    description = "Container '%i'";
    unitConfig.RequiresMountsFor = lib.optional (!ephemeral) "/var/lib/nixos-containers/%i";
    path = [
      pkgs.iproute2
      config.nix.package
      config.systemd.package
    ];
    environment = {
      root = if ephemeral then "/run/nixos-containers/%i" else "/var/lib/nixos-containers/%i";
      INSTANCE = "%i";
    };
    restartIfChanged = false;
    script = "exec ${pkgs.bash}/bin/bash ${../../programs/container.sh}";
    reload = ''echo "$SYSTEM_PATH" > "$root/run-system"'';
    serviceConfig = {
      SyslogIdentifier = "container %i";
      EnvironmentFile = "-/etc/nixos-containers/%i.conf";
      Type = "notify";
      NotifyAccess = "all";
      RuntimeDirectory = lib.optional ephemeral "nixos-containers/%i";
      RestartForceExitStatus = "133";
      SuccessExitStatus = "133";
      TimeoutStartSec = timeout;
      Restart = "on-failure";
      Slice = "machine.slice";
      Delegate = true;
      KillMode = "mixed";
      KillSignal = "TERM";
    };
  };

  declared =
    name: c:
    lib.nameValuePair "container@${name}" (
      unit c.ephemeral c.timeoutStartSec
      // lib.optionalAttrs c.autoStart {
        wantedBy = [ "machines.target" ];
        wants = [ "network.target" ];
        after = [ "network.target" ];
        restartTriggers = [
          c.path
          config.environment.etc."nixos-containers/${name}.conf".source
        ];
        inherit (c) restartIfChanged;
      }
    );
in
{
  options = {
    containers = mkOption {
      type = types.attrsOf container;
      default = { };
      description = "The containers.";
    };
    boot.enableContainers = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there are containers.";
    };
  };

  config = lib.mkIf (config.boot.enableContainers && !config.boot.isContainer) {
    systemd.targets.multi-user.wants = [ "machines.target" ];
    systemd.services = lib.mapAttrs' declared cfg // {
      "container@" = unit false "1min";
    };
    environment.etc = lib.mapAttrs' (
      name: c: lib.nameValuePair "nixos-containers/${name}.conf" { text = confText c; }
    ) cfg;
  };
}
