# services.static-web-server: files over HTTP, started by its socket.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.static-web-server;
in
{
  options.services.static-web-server = {
    enable = lib.mkEnableOption "a web server for files";
    package = lib.mkPackageOption pkgs "python3" { };
    listen = mkOption {
      type = types.str;
      default = "[::]:8787";
      description = "The socket's address.";
    };
    root = mkOption {
      type = types.path;
      description = "The directory that is served.";
    };
    configuration = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Accepted; a change restarts the server.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.sockets.static-web-server = {
      description = "Static Web Server Socket";
      wantedBy = [ "sockets.target" ];
      listenStreams = [ cfg.listen ];
    };
    systemd.services.static-web-server = {
      description = "Static Web Server";
      wantedBy = [ "multi-user.target" ];
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "static-web-server.socket"
      ];
      requires = [ "static-web-server.socket" ];
      restartTriggers = [ (builtins.toJSON cfg.configuration) ];
      serviceConfig = {
        ExecStart = "${cfg.package}/bin/python3 -I ${../../programs/static-web-server.py} ${cfg.root}";
        DynamicUser = true;
        Restart = "on-failure";
      };
    };
  };
}
