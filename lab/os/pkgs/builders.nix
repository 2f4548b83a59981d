# Builders. They run the image's /bin/sh without a sandbox, so that a store
# with nothing in it can build a system.
{
  lib,
  pkgs,
  system,
}:
let
  storeName =
    builtins.replaceStrings
      [
        "@"
        ":"
        "\\"
        "["
        "]"
        "/"
        " "
      ]
      [
        "-"
        "-"
        "-"
        ""
        ""
        "-"
        "-"
      ];
in
rec {
  runCommand =
    name: env: command:
    let
      drv = derivation (
        {
          name = storeName name;
          inherit system;
          builder = "/bin/sh";
          args = [
            "-euc"
            "export PATH=/usr/bin:/usr/sbin\n${command}"
          ];
          preferLocalBuild = true;
          allowSubstitutes = false;
        }
        // removeAttrs env [
          "meta"
          "passthru"
          "pname"
          "version"
        ]
      );
    in
    drv
    // {
      inherit name;
      meta = env.meta or { };
    }
    // lib.filterAttrs (n: _: n == "pname" || n == "version") env
    // env.passthru or { };
  runCommandLocal = runCommand;

  # Runs one of the pocket's own Python programs with `config` as JSON on its standard input.
  runPython =
    name: program: config:
    runCommand name
      {
        config = builtins.toJSON config;
        passAsFile = [ "config" ];
      }
      ''
        python3 -I ${program} < "$configPath"
      '';

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
      ...
    }:
    runCommand name
      {
        inherit text meta;
        passAsFile = [ "text" ];
      }
      ''
        ${lib.optionalString (destination != "") "mkdir -p $out${dirOf destination}"}
        cp "$textPath" $out${destination}
        ${lib.optionalString executable "chmod +x $out${destination}"}
      '';
  writeText = name: text: writeTextFile { inherit name text; };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
  writeShellScript = name: text: writeScript name "#!${pkgs.runtimeShell}\n${text}";
  writeShellScriptBin = name: text: writeScriptBin name "#!${pkgs.runtimeShell}\n${text}";
  writers.writeJSON = name: value: writeText name (builtins.toJSON value);
  formats.json = { }: {
    type = lib.types.anything;
    generate = writers.writeJSON;
  };

  # One of the pocket's own directories of programs, without what is not run:
  # a system must not depend on caches, tests or documentation.
  programDirectory =
    name: path:
    builtins.path {
      inherit name path;
      filter =
        file: _:
        let
          base = baseNameOf file;
        in
        !lib.hasPrefix "." base
        && builtins.match ".*[.](pyc|md|json)" base == null
        && !builtins.elem base [
          "__pycache__"
          "tests"
        ];
    };

  # Links to every file of every path, the first one that has a name wins.
  buildEnv =
    {
      name,
      paths,
      pathsToLink ? [
        "/bin"
        "/sbin"
        "/lib"
        "/share"
      ],
      ...
    }:
    runCommand name { } ''
      mkdir -p $out/bin
      for dir in ${toString pathsToLink}; do
        for package in ${toString (lib.unique (map toString paths))}; do
          [ -d "$package$dir" ] || continue
          mkdir -p "$out$dir"
          for file in "$package$dir"/*; do
            [ -e "$out$dir/''${file##*/}" ] || [ -L "$out$dir/''${file##*/}" ] || echo "$file"
          done | xargs -r -d '\n' ln -s -t "$out$dir"
        done
      done
    '';
  symlinkJoin = { name, paths, ... }: buildEnv { inherit name paths; };
  linkFarm =
    name: entries:
    runCommand name { } (
      "mkdir -p $out\n"
      +
        lib.concatMapStrings
          (entry: ''
            mkdir -p "$out/$(dirname ${lib.escapeShellArg entry.name})"
            ln -s ${entry.path} "$out/"${lib.escapeShellArg entry.name}
          '')
          (
            if builtins.isAttrs entries then lib.mapAttrsToList (name: path: { inherit name path; }) entries else entries
          )
    );

  # A made-up package of a given size, to give a system something to upgrade.
  # Its bytes follow from `pname` alone, except the last tenth, which follows
  # from the version too: what real updates look like to a transfer.
  labPackage =
    {
      pname,
      version,
      size ? 65536,
      mainProgram ? pname,
      references ? [ ],
    }:
    runCommand "${pname}-${version}"
      {
        inherit pname version;
        meta = { inherit mainProgram; };
      }
      ''
        mkdir -p $out/bin $out/share/${pname}
        printf '#!/bin/sh\necho ${pname} ${version}\n' > $out/bin/${mainProgram}
        chmod +x $out/bin/${mainProgram}
        python3 -I ${../programs/noise.py} ${toString (size * 9 / 10)} ${pname} > $out/share/${pname}/data
        python3 -I ${../programs/noise.py} ${toString (size / 10)} ${pname}-${version} >> $out/share/${pname}/data
        echo ${toString references} > $out/share/${pname}/references
      '';
}
