# What the packages are built from: the workspace without its lab, documents and fuzz targets.
{ lib }:

lib.fileset.toSource {
  root = ../.;
  fileset = lib.fileset.unions [
    ../Cargo.toml
    ../Cargo.lock
    ../crates
    ../LICENSE-MIT
    ../LICENSE-APACHE
  ];
}
