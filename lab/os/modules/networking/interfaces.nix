# networking.interfaces with addresses that are written down, gateways, bridges
# and local commands: NixOS's scripted networking, with its units.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking;

  address = types.submodule {
    options = {
      address = mkOption {
        type = types.str;
        description = "The address.";
      };
      prefixLength = mkOption {
        type = types.ints.between 0 128;
        description = "The length of the network's prefix.";
      };
    };
  };
  route = types.submodule {
    options = {
      address = mkOption {
        type = types.str;
        description = "The network's address.";
      };
      prefixLength = mkOption {
        type = types.ints.between 0 128;
        description = "The length of its prefix.";
      };
      via = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The router.";
      };
      options = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "Further words of `ip route'.";
      };
    };
  };
  family = {
    addresses = mkOption {
      type = types.listOf address;
      default = [ ];
      description = "Addresses.";
    };
    routes = mkOption {
      type = types.listOf route;
      default = [ ];
      description = "Routes.";
    };
  };
  interface = types.submodule (
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "The interface.";
        };
        useDHCP = mkOption {
          type = types.nullOr types.bool;
          default = null;
          description = "Whether its address comes from the network.";
        };
        ipv4 = family;
        ipv6 = family;
        mtu = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The largest packet.";
        };
        macAddress = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The hardware address.";
        };
      };
    }
  );
  gateway = types.coercedTo types.str (address: { inherit address; }) (
    types.submodule {
      options = {
        address = mkOption {
          type = types.str;
          description = "The router.";
        };
        interface = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "The interface.";
        };
        metric = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "The metric.";
        };
      };
    }
  );

  addressesOf = i: i.ipv4.addresses ++ i.ipv6.addresses;
  routesOf = i: i.ipv4.routes ++ i.ipv6.routes;
  cidr = a: "${a.address}/${toString a.prefixLength}";
  isManaged = i: addressesOf i != [ ] || routesOf i != [ ] || i.mtu != null || i.macAddress != null;
  interfaces = builtins.filter isManaged (builtins.attrValues cfg.interfaces);

  routeWords =
    i: r:
    lib.concatStringsSep " " (
      [ (cidr r) ]
      ++ lib.optional (r.via != null) "via ${r.via}"
      ++ lib.mapAttrsToList (n: v: "${n} ${v}") r.options
      ++ [ "dev ${i.name}" ]
    );
  gatewayWords =
    g:
    lib.concatStringsSep " " (
      [ "default via ${g.address}" ]
      ++ lib.optional (g.interface != null) "dev ${g.interface}"
      ++ lib.optional (g.metric != null) "metric ${toString g.metric}"
    );

  oneshot = {
    Type = "oneshot";
    RemainAfterExit = true;
  };
  early = {
    unitConfig = {
      DefaultDependencies = false;
      ConditionCapability = "CAP_NET_ADMIN";
    };
    conflicts = [ "shutdown.target" ];
    path = [ pkgs.iproute2 ];
    serviceConfig = oneshot;
  };

  addressService =
    i:
    lib.nameValuePair "network-addresses-${i.name}" (
      early
      // {
        description = "Address configuration of ${i.name}";
        wantedBy = [
          "network-setup.service"
          "network.target"
        ];
        after = [ "network-pre.target" ];
        before = [
          "network-setup.service"
          "network.target"
          "shutdown.target"
        ];
        # Stopping it takes the addresses away, so a switch restarts it in one go.
        stopIfChanged = false;
        script = ''
          state=/run/nixos/network/addresses/${i.name}
          mkdir -p "''${state%/*}"
          ${lib.optionalString (i.macAddress != null) "ip link set dev ${i.name} address ${i.macAddress}"}
          ${lib.optionalString (i.mtu != null) "ip link set dev ${i.name} mtu ${toString i.mtu}"}
          ip link set dev ${i.name} up
          ${lib.concatMapStrings (a: ''
            echo ${cidr a} >> "$state"
            ip address replace ${cidr a} dev ${i.name} ${lib.optionalString (lib.hasInfix ":" a.address) "nodad"}
          '') (addressesOf i)}
          ${lib.concatMapStrings (r: "ip route replace ${routeWords i r} proto static\n") (routesOf i)}
        '';
        preStop = ''
          state=/run/nixos/network/addresses/${i.name}
          [ -e "$state" ] || exit 0
          while read -r address; do
            ip address delete "$address" dev ${i.name} || true
          done < "$state"
          rm -f "$state"
        '';
      }
    );

  bridgeService =
    name: bridge:
    lib.nameValuePair "${name}-netdev" (
      early
      // {
        description = "Bridge Interface ${name}";
        wantedBy = [ "network-setup.service" ];
        partOf = [ "network-setup.service" ];
        after = [ "network-pre.target" ];
        before = [
          "network-setup.service"
          "shutdown.target"
        ];
        script = ''
          ip link show dev ${name} >/dev/null 2>&1 || ip link add name ${name} type bridge
          ${lib.concatMapStrings (i: "ip link set dev ${i} master ${name} up\n") bridge.interfaces}
          ip link set dev ${name} up
        '';
        postStop = "ip link delete dev ${name} || true";
      }
    );
in
{
  options.networking = {
    interfaces = mkOption {
      type = types.attrsOf interface;
      default = { };
      description = "The interfaces.";
    };
    defaultGateway = mkOption {
      type = types.nullOr gateway;
      default = null;
      description = "The router of IPv4.";
    };
    defaultGateway6 = mkOption {
      type = types.nullOr gateway;
      default = null;
      description = "The router of IPv6.";
    };
    bridges = mkOption {
      type = types.attrsOf (
        types.submodule {
          options.interfaces = mkOption {
            type = types.listOf types.str;
            description = "The bridge's ports.";
          };
        }
      );
      default = { };
      description = "Bridges.";
    };
    localCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Shell commands run once the network is set up.";
    };
    enableIPv6 = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there is IPv6.";
    };
    useNetworkd = lib.mkEnableOption "systemd-networkd (accepted, without effect here)";
    usePredictableInterfaceNames = mkOption {
      type = types.bool;
      default = true;
      description = "Accepted, without effect here.";
    };
    wireless.enable = lib.mkEnableOption "wireless networks (accepted, without effect here)";
    networkmanager.enable = lib.mkEnableOption "NetworkManager (accepted, without effect here)";
  };

  config = {
    networking.dhcpcd.denyInterfaces = map (i: i.name) (
      builtins.filter (i: addressesOf i != [ ] && i.useDHCP != true || i.useDHCP == false) (
        builtins.attrValues cfg.interfaces
      )
    );
    boot.kernel.sysctl = lib.mkIf (!cfg.enableIPv6) {
      "net.ipv6.conf.all.disable_ipv6" = true;
      "net.ipv6.conf.default.disable_ipv6" = true;
    };

    systemd.services =
      builtins.listToAttrs (map addressService interfaces ++ lib.mapAttrsToList bridgeService cfg.bridges)
      // {
        network-setup = early // {
          description = "Networking Setup";
        # A new interface changes this unit, and its restart starts the interface's:
        # network.target, which wants them too, is not started again by a switch.
        partOf = map (i: "network-addresses-${i.name}.service") (
          builtins.filter (i: !cfg.bridges ? ${i.name}) interfaces
        );
          after = [
            "network-pre.target"
            "systemd-sysctl.service"
          ];
          before = [
            "network.target"
            "shutdown.target"
          ];
          wants = [ "network.target" ];
          wantedBy = [ "multi-user.target" ];
          script =
            lib.optionalString (
              cfg.defaultGateway != null
            ) "ip route replace ${gatewayWords cfg.defaultGateway} proto static || true\n"
            + lib.optionalString (
              cfg.defaultGateway6 != null
            ) "ip -6 route replace ${gatewayWords cfg.defaultGateway6} proto static || true\n"
            + "mkdir -p /run/nixos/network";
        };
        network-local-commands = early // {
          description = "Extra networking commands.";
          after = [ "network-pre.target" ];
          before = [
            "network.target"
            "shutdown.target"
          ];
          wantedBy = [ "network.target" ];
          # What the commands did stays when they go.
          script = if cfg.localCommands == "" then "true" else cfg.localCommands;
        };
      };
  };
}
