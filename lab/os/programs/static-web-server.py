"""Serves the files of a directory on the socket that systemd passes as descriptor 3."""

import functools
import http.server
import os
import socket
import sys


class Server(http.server.ThreadingHTTPServer):
    def server_bind(self):
        """The socket is bound already."""

    def server_activate(self):
        """And it listens."""


if os.environ.get("LISTEN_FDS") != "1":
    sys.exit("static-web-server: no socket was passed; start static-web-server.socket")
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = Server(("", 0), handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
server.serve_forever()
