# The agent that lockstep brings to hosts. Called with `pkgsStatic`, so it is one program that needs nothing else.
{
  lib,
  rustPlatform,
  revision ? "unknown",
}:

rustPlatform.buildRustPackage {
  pname = "lockstep-agent";
  version = "${(lib.importTOML ../Cargo.toml).workspace.package.version}-${revision}";

  src = import ./source.nix { inherit lib; };
  cargoLock.lockFile = ../Cargo.lock;

  # The profile of the workspace's Cargo.toml that is made for size.
  buildType = "agent";
  cargoBuildFlags = [
    "--package"
    "agent"
  ];
  # Its tests are scenarios of the lab.
  doCheck = false;

  meta = {
    description = "What lockstep runs on each host";
    license = with lib.licenses; [
      mit
      asl20
    ];
    platforms = lib.platforms.linux;
    mainProgram = "lockstep-agent";
  };
}
