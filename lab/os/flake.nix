{
  description = "Pocket NixOS: systems with NixOS's option names and NixOS's contract, for the lab";

  outputs =
    { self }:
    let
      lib = import ./lib;
      system = "x86_64-linux";
      nixosSystem = import ./eval-config.nix;
    in
    {
      lib = lib // {
        inherit nixosSystem;
      };
      nixosModules.base = ./base/configuration.nix;
      legacyPackages.${system} = import ./pkgs { inherit lib system; };
      nixosConfigurations = {
        base = nixosSystem { modules = [ self.nixosModules.base ]; };
        vm-systemd-boot = nixosSystem { modules = [ self.nixosModules.base ./base/vm-systemd-boot.nix ]; };
        vm-grub = nixosSystem { modules = [ self.nixosModules.base ./base/vm-grub.nix ]; };
      };
    };
}
