# Hosts of which some are good and each of the others is bad in its own way.
{
  inputs.pocket.url = "path:/lab/os";

  outputs =
    { self, pocket }:
    let
      make =
        module:
        pocket.lib.nixosSystem {
          modules = [
            pocket.nixosModules.base
            module
          ];
        };
      script =
        name: text:
        derivation {
          inherit name;
          system = "x86_64-linux";
          builder = "/bin/sh";
          args = [
            "-c"
            text
          ];
        };
      with_package = package: make { environment.systemPackages = [ package ]; };
    in
    {
      lockstep = {
        defaults.tags = [ "all" ];
        hosts.web1.addresses = [ "10.9.0.11" ];
      };
      nixosConfigurations = {
        web1 = make { networking.hostName = "web1"; };
        "web.example.org" = make { networking.hostName = "web"; };
        box = make { boot.isContainer = true; };
        warns = builtins.trace "something is odd" (make { });
        throws = throw "this host is broken";
        recursive = let x = x; in x;
        mistyped = make { networking.hostNam = "x"; };
        failing = with_package (
          script "failing-1.0" "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo line $i; done; echo 'the heart of it' >&2; exit 3"
        );
        slow = with_package (script "slow-1.0" "echo begun; /bin/sleep 1000");
      };
    };
}
