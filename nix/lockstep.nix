# The operator's program, with the agent of its own system where it looks for it: ../libexec/lockstep.
#
# `agents` may hold agents of other systems; each is installed as lockstep-agent-<system>.
{
  lib,
  rustPlatform,
  installShellFiles,
  stdenv,
  lockstep-agent,
  agents ? [ lockstep-agent ],
  revision ? "unknown",
}:

rustPlatform.buildRustPackage {
  pname = "lockstep";
  version = "${(lib.importTOML ../Cargo.toml).workspace.package.version}-${revision}";

  src = import ./source.nix { inherit lib; };
  cargoLock.lockFile = ../Cargo.lock;

  cargoBuildFlags = [
    "--package"
    "cli"
  ];
  # Without the lab, which needs root; the tests of the whole run in the repository.
  cargoTestFlags = [
    "--package"
    "cli"
  ];

  nativeBuildInputs = [ installShellFiles ];

  postInstall = ''
    ${lib.concatMapStrings (agent: ''
      install -D -m 555 ${lib.getExe agent} \
        $out/libexec/lockstep/lockstep-agent-${agent.stdenv.hostPlatform.system}
    '') agents}
  ''
  + lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    $out/bin/lockstep man man
    installManPage man/*
    installShellCompletion --cmd lockstep \
      --bash <($out/bin/lockstep completions bash) \
      --fish <($out/bin/lockstep completions fish) \
      --zsh <($out/bin/lockstep completions zsh)
  '';

  meta = {
    description = "Fleet management for NixOS that cannot lock you out";
    license = with lib.licenses; [
      mit
      asl20
    ];
    platforms = lib.platforms.linux;
    mainProgram = "lockstep";
  };
}
