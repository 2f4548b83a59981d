{
  description = "Lockstep keeps a fleet of NixOS machines in lockstep with one description";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # Where lockstep runs. Hosts may be of any system for which there is an agent.
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = function: nixpkgs.lib.genAttrs systems (system: function nixpkgs.legacyPackages.${system});
      revision = self.shortRev or self.dirtyShortRev or "unknown";
    in
    {
      overlays.default = final: _previous: {
        lockstep = final.callPackage ./nix/lockstep.nix { inherit revision; };
        # Static: it runs on any host of its system, whatever is in that host's store.
        lockstep-agent = final.pkgsStatic.callPackage ./nix/agent.nix { inherit revision; };
      };

      packages = forEachSystem (
        pkgs:
        let
          ours = pkgs.extend self.overlays.default;
        in
        {
          default = ours.lockstep;
          agent = ours.lockstep-agent;
        }
      );

      # What a system needs so that a reboot into it is guarded: `services.lockstep.enable = true`.
      nixosModules.default =
        { lib, pkgs, ... }:
        {
          imports = [ ./nix/modules/agent.nix ];
          services.lockstep.package = lib.mkDefault self.packages.${pkgs.stdenv.hostPlatform.system}.agent;
        };

      apps = forEachSystem (pkgs: {
        default = {
          type = "app";
          program = nixpkgs.lib.getExe self.packages.${pkgs.stdenv.hostPlatform.system}.default;
          meta.description = "Fleet management for NixOS";
        };
      });
    };
}
