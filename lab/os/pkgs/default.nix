# The pocket's `pkgs`: builders under nixpkgs' names, and the image's own
# programs as packages that hold nothing but links to them.
{ lib, system }:
lib.fix (
  pkgs:
  {
    inherit lib system pkgs;
    stdenv.hostPlatform = {
      inherit system;
      isLinux = true;
      isx86_64 = true;
    };
    callPackage =
      f: args:
      let
        function = if builtins.isPath f then import f else f;
      in
      function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // args);
    runtimeShell = "${pkgs.bash}/bin/bash";
  }
  // import ./builders.nix { inherit lib pkgs system; }
  // import ./tools.nix { inherit lib pkgs; }
)
