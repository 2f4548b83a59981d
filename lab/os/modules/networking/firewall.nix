# networking.firewall and networking.nftables, both with nft: connections that
# exist go on, new ones need an allowed port.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.networking.firewall;
  nftables = config.networking.nftables;

  ports =
    description:
    mkOption {
      type = types.listOf types.port;
      default = [ ];
      inherit description;
    };
  ranges =
    description:
    mkOption {
      type = types.listOf (types.attrsOf types.port);
      default = [ ];
      inherit description;
    };
  perInterface = {
    allowedTCPPorts = ports "TCP ports.";
    allowedUDPPorts = ports "UDP ports.";
    allowedTCPPortRanges = ranges "TCP ports from `from' to `to'.";
    allowedUDPPortRanges = ranges "UDP ports from `from' to `to'.";
  };

  accept =
    interface: protocol: singles: spans:
    let
      set = map toString (lib.unique singles) ++ map (r: "${toString r.from}-${toString r.to}") spans;
    in
    lib.optionalString (
      set != [ ]
    ) "    ${interface}${protocol} dport { ${lib.concatStringsSep ", " set} } accept\n";
  acceptAll =
    interface: f:
    accept interface "tcp" f.allowedTCPPorts f.allowedTCPPortRanges
    + accept interface "udp" f.allowedUDPPorts f.allowedUDPPortRanges;

  filterTable = ''
    table inet nixos-fw {
      chain input {
        type filter hook input priority filter; policy drop;
        iifname { ${lib.concatMapStringsSep ", " builtins.toJSON cfg.trustedInterfaces} } accept
        ct state { established, related } accept
        ct state invalid drop
    ${acceptAll "" cfg}${
      lib.concatStrings (lib.mapAttrsToList (name: acceptAll ''iifname "${name}" '') cfg.interfaces)
    }
        ${lib.optionalString cfg.allowPing "icmp type echo-request accept"}
        icmpv6 type != { nd-redirect, 139 } accept
    ${cfg.extraInputRules}
        ${lib.optionalString cfg.rejectPackets "reject"}
      }
    }
  '';
  # Replaced in one transaction: no moment without rules.
  replacing = text: "table inet nixos-fw\ndelete table inet nixos-fw\n${text}";
  rulesFile = pkgs.writeText "nixos-fw.nft" (replacing filterTable);

  nftText =
    lib.optionalString nftables.flushRuleset "flush ruleset\n"
    + lib.optionalString cfg.enable (replacing filterTable)
    + lib.concatStrings (
      lib.mapAttrsToList (
        name: table:
        "table ${table.family} ${name}\ndelete table ${table.family} ${name}\ntable ${table.family} ${name} {\n${table.content}\n}\n"
      ) (lib.filterAttrs (_: table: table.enable) nftables.tables)
    )
    + nftables.ruleset;
  nftFile =
    if nftables.rulesetFile != null then nftables.rulesetFile else pkgs.writeText "nftables-rules" nftText;

  early = {
    wantedBy = [ "sysinit.target" ];
    wants = [ "network-pre.target" ];
    before = [
      "network-pre.target"
      "shutdown.target"
    ];

    conflicts = [ "shutdown.target" ];
    unitConfig = {
      DefaultDependencies = false;
      ConditionCapability = "CAP_NET_ADMIN";
    };
    reloadIfChanged = true;
  };
  commands =
    name: text:
    "${pkgs.writeShellScript name "set -e\nexport PATH=${
      lib.makeBinPath [
        pkgs.nftables
        pkgs.iproute2
        pkgs.coreutils
      ]
    }\n${text}"}";
  load = "nft -f ${rulesFile}\n${cfg.extraCommands}";
in
{
  options.networking = {
    firewall = perInterface // {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether there is a firewall.";
      };
      allowPing = mkOption {
        type = types.bool;
        default = true;
        description = "Whether pings are answered.";
      };
      rejectPackets = lib.mkEnableOption "refusing instead of dropping";
      trustedInterfaces = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Interfaces that may send anything.";
      };
      interfaces = mkOption {
        type = types.attrsOf (types.submodule { options = perInterface; });
        default = { };
        description = "Ports of one interface.";
      };
      extraCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands run after the rules; here with nft, not iptables.";
      };
      extraStopCommands = mkOption {
        type = types.lines;
        default = "";
        description = "Shell commands run when it stops.";
      };
      extraInputRules = mkOption {
        type = types.lines;
        default = "";
        description = "nft rules for what comes in.";
      };
      checkReversePath = mkOption {
        type = types.either types.bool types.str;
        default = false;
        description = "Accepted, without effect here.";
      };
      logRefusedConnections = mkOption {
        type = types.bool;
        default = true;
        description = "Accepted, without effect here.";
      };
    };
    nftables = {
      enable = lib.mkEnableOption "nftables.service instead of firewall.service";
      ruleset = mkOption {
        type = types.lines;
        default = "";
        description = "Rules as text.";
      };
      rulesetFile = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "Rules as a file.";
      };
      flushRuleset = mkOption {
        type = types.bool;
        default = nftables.ruleset != "" || nftables.rulesetFile != null;
        description = "Whether all rules go first.";
      };
      checkRuleset = mkOption {
        type = types.bool;
        default = true;
        description = "Accepted, without effect here.";
      };
      tables = mkOption {
        type = types.attrsOf (
          types.submodule {
            options = {
              enable = mkOption {
                type = types.bool;
                default = true;
                description = "Whether the table exists.";
              };
              family = mkOption {
                type = types.enum [
                  "ip"
                  "ip6"
                  "inet"
                  "arp"
                  "bridge"
                  "netdev"
                ];
                description = "Its family.";
              };
              content = mkOption {
                type = types.lines;
                description = "Its chains.";
              };
            };
          }
        );
        default = { };
        description = "Tables.";
      };
    };
  };

  config = lib.mkMerge [
    (lib.mkIf cfg.enable { networking.firewall.trustedInterfaces = [ "lo" ]; })
    (lib.mkIf (cfg.enable || nftables.enable) { environment.systemPackages = [ pkgs.nftables ]; })
    (lib.mkIf (cfg.enable && !nftables.enable) {
      systemd.services.firewall = early // {
        description = "Firewall";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = commands "firewall-start" load;
          ExecReload = commands "firewall-reload" load;
          ExecStop = commands "firewall-stop" "nft delete table inet nixos-fw || true\n${cfg.extraStopCommands}";
        };
      };
    })
    (lib.mkIf nftables.enable {
      systemd.services.nftables = early // {
        description = "nftables firewall";
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${pkgs.nftables}/bin/nft -f ${nftFile}";
          ExecReload = "${pkgs.nftables}/bin/nft -f ${nftFile}";
          ExecStop = "${pkgs.nftables}/bin/nft flush ruleset";
        };
      };
    })
  ];
}
