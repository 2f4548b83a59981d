//! What Nix is asked to compute. Nothing here adds a module or changes a configuration.

/// Of a description: the names of its hosts, and what is said of them beside their configurations. Only the
/// names of the attributes of `nixosConfigurations` are looked at.
const INDEX: &str = "{
  names = builtins.attrNames (fleet.nixosConfigurations or (throw \"there is no attribute nixosConfigurations in this description\"));
  lockstep = fleet.lockstep or null;
}";

/// Of a configuration `c`. What it is made for is told by options that only such configurations declare, or
/// that say so; a configuration without them, whatever it is, is a system.
const SYSTEM: &str = r#"let
  top = c.config.system.build.toplevel;
  config = c.config;
  yes = value: let tried = builtins.tryEval value; in tried.success && tried.value == true;
  kinds = [
    { kind = "container"; reason = "boot.isContainer is true"; is = yes (config.boot.isContainer or false); }
    { kind = "container"; reason = "boot.isNspawnContainer is true"; is = yes (config.boot.isNspawnContainer or false); }
    { kind = "vm"; reason = "microvm.guest.enable is true"; is = yes (config.microvm.guest.enable or false); }
    { kind = "vm"; reason = "virtualisation.qemu exists, as in qemu-vm.nix"; is = yes (config ? virtualisation.qemu); }
    { kind = "installer"; reason = "isoImage exists, as in iso-image.nix"; is = yes (config ? isoImage); }
    { kind = "installer"; reason = "netboot exists, as in netboot.nix"; is = yes (config ? netboot); }
    { kind = "installer"; reason = "system.nixos.variant_id is \"installer\""; is = yes (config.system.nixos.variant_id or null == "installer"); }
  ];
  found = builtins.filter (candidate: candidate.is) kinds ++ [ { kind = "system"; reason = ""; } ];
in {
  derivation = top.drvPath;
  system = top.outPath;
  platform = c.pkgs.stdenv.hostPlatform.system or top.system;
  inherit (builtins.head found) kind reason;
}"#;

/// Calls a description that is a function, which a flake's outputs are not.
const FLEET: &str = "if builtins.isFunction f then f { } else f";

/// The function that is applied to a description and gives its index.
pub(crate) fn index() -> String {
    format!("f: let fleet = {FLEET}; in {INDEX}")
}

/// The function that is applied to a file's description and gives what is asked of one host.
pub(crate) fn system_of_file(host: &str) -> String {
    format!("f: let fleet = {FLEET}; c = fleet.nixosConfigurations.{}; in {SYSTEM}", quote(host))
}

/// The function that is applied to the attribute `nixosConfigurations` of a flake.
pub(crate) fn system_of_flake(host: &str) -> String {
    format!("configurations: let c = configurations.{}; in {SYSTEM}", quote(host))
}

/// The text as a string of the Nix language.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\' | '$') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let cases = [
            ("web1", r#""web1""#),
            ("web1.example.org", r#""web1.example.org""#),
            ("a\"b", r#""a\"b""#),
            ("a\\b", r#""a\\b""#),
            ("${builtins.abort \"x\"}", r#""\${builtins.abort \"x\"}""#),
        ];
        for (name, quoted) in cases {
            assert_eq!(quote(name), quoted);
        }
    }
}
