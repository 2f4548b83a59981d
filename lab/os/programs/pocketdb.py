"""A database in small: rows in one file, with a schema version that only goes up.

Lines over TCP: `get`, `put WORD`, `schema`, `config`. Its state directory holds
`schema` and `rows`. Data of a newer schema are refused; data of an older one
are migrated for good, which is what makes a rollback of such a service fail.
"""

import os
import signal
import socket
import socketserver
import sys
import time

STATE = os.environ["STATE_DIRECTORY"]
SCHEMA = int(os.environ["SCHEMA"])
CONFIG = "/etc/pocketdb.conf"
config = ""


def path(name):
    return os.path.join(STATE, name)


def read(name, default=""):
    try:
        with open(path(name)) as file:
            return file.read()
    except FileNotFoundError:
        return default


def write(name, text):
    with open(path(f"{name}.tmp"), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path(f"{name}.tmp"), path(name))


def migrate():
    stored = int(read("schema", str(SCHEMA)))
    if stored > SCHEMA:
        sys.exit(f"pocketdb: the data have schema {stored}, this version knows {SCHEMA}; refusing to go back")
    if stored < SCHEMA:
        print(f"migrating from schema {stored} to {SCHEMA}", flush=True)
    write("schema", str(SCHEMA))


def load_config(*_):
    global config
    with open(CONFIG) as file:
        config = file.read()


def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notification:
        notification.sendto(text.encode(), os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


def stop(*_):
    time.sleep(int(os.environ["STOP_SECONDS"]))
    sys.exit(0)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        word, _, value = self.rfile.readline().decode().strip().partition(" ")
        if word == "put":
            write("rows", read("rows") + value + "\n")
        answers = {"get": read("rows"), "schema": f"{SCHEMA}\n", "config": config, "put": "ok\n"}
        self.wfile.write(answers.get(word, "unknown\n").encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


migrate()
load_config()
time.sleep(int(os.environ["START_SECONDS"]))
signal.signal(signal.SIGHUP, load_config)
signal.signal(signal.SIGTERM, stop)
with Server(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
    notify("READY=1")
    server.serve_forever()
