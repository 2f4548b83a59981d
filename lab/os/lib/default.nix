# The pocket's `lib`: nixpkgs' names for the functions that modules use, as
# one fixed point. Every file is a function from the whole `lib` to its part.
let
  fix =
    f:
    let
      x = f x;
    in
    x;
  parts = [
    ./trivial.nix
    ./lists.nix
    ./attrsets.nix
    ./strings.nix
    ./meta.nix
    ./properties.nix
    ./options.nix
    ./messages.nix
    ./merge.nix
    ./types.nix
    ./modules.nix
    ./renames.nix
    ./asserts.nix
    ./systemd.nix
  ];
in
fix (lib: builtins.foldl' (acc: part: acc // import part lib) { inherit fix; } parts)
