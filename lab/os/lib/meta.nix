# What a package says about itself.
lib: {
  getExe =
    package:
    "${package}/bin/${
      package.meta.mainProgram or (throw "getExe: package `${package.name}' has no meta.mainProgram")
    }";
  getExe' = package: name: "${package}/bin/${name}";
  getName = package: package.pname or (builtins.parseDrvName package.name).name;
  getVersion = package: package.version or (builtins.parseDrvName package.name).version;
  licenses = { };
  maintainers = { };
  platforms.linux = [ "x86_64-linux" ];
}
