# Text of systemd's units, and systemd's way of writing paths into names.
lib:
let
  hexOf = {
    " " = "20";
    "!" = "21";
    "#" = "23";
    "$" = "24";
    "%" = "25";
    "&" = "26";
    "'" = "27";
    "(" = "28";
    ")" = "29";
    "*" = "2a";
    "+" = "2b";
    "," = "2c";
    "-" = "2d";
    ";" = "3b";
    "=" = "3d";
    "@" = "40";
    "[" = "5b";
    "\\" = "5c";
    "]" = "5d";
    "^" = "5e";
    "{" = "7b";
    "|" = "7c";
    "}" = "7d";
    "~" = "7e";
  };
  specials = builtins.attrNames hexOf;
  escapePart = builtins.replaceStrings (specials ++ [ "/" ]) (map (c: "\\x${hexOf.${c}}") specials ++ [ "-" ]);

  line = name: value: "${name}=${if builtins.isBool value then lib.boolToString value else toString value}\n";
  environmentLine =
    name: value: lib.optionalString (value != null) "Environment=${builtins.toJSON "${name}=${value}"}\n";
  flagLine = condition: text: lib.optionalString condition "${text}\n";
in
{
  systemdUtils = {
    # "/var/lib/a b" -> "var-lib-a\x20b", as systemd-escape --path does.
    escapeSystemdPath =
      path:
      let
        parts = builtins.filter (p: p != "" && p != ".") (lib.splitString "/" path);
        text = escapePart (lib.concatStringsSep "/" parts);
      in
      if parts == [ ] then
        "-"
      else if lib.hasPrefix "." text then
        "\\x2e${lib.removePrefix "." text}"
      else
        text;

    # Quotes one word of an Exec line.
    escapeSystemdExecArg =
      arg: builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON (toString arg));
    escapeSystemdExecArgs = lib.concatMapStringsSep " " lib.systemdUtils.escapeSystemdExecArg;

    # { A = 1; B = [ "x" "y" ]; } -> one line per value; null leaves the line out.
    attrsToSection =
      attrs:
      lib.concatStrings (
        lib.concatLists (lib.mapAttrsToList (name: value: map (line name) (lib.remove null (lib.toList value))) attrs)
      );

    unitText =
      def: body:
      "[Unit]\n${lib.systemdUtils.attrsToSection def.unitConfig}\n${body}"
      + lib.optionalString (def.wantedBy != [ ]) "\n[Install]\nWantedBy=${toString def.wantedBy}\n";

    section = name: attrs: "[${name}]\n${lib.systemdUtils.attrsToSection attrs}";

    serviceBody =
      globalEnvironment: def:
      "[Service]\n"
      + lib.concatStrings (lib.mapAttrsToList environmentLine (globalEnvironment // def.environment))
      + flagLine def.reloadIfChanged "X-ReloadIfChanged=true"
      + flagLine (!def.reloadIfChanged && !def.restartIfChanged) "X-RestartIfChanged=false"
      + flagLine (!def.stopIfChanged) "X-StopIfChanged=false"
      + flagLine def.notSocketActivated "X-NotSocketActivated=true"
      + lib.systemdUtils.attrsToSection def.serviceConfig;

    socketBody =
      def:
      lib.systemdUtils.section "Socket" def.socketConfig
      + lib.concatMapStrings (line "ListenStream") def.listenStreams
      + lib.concatMapStrings (line "ListenDatagram") def.listenDatagrams;
  };
}
