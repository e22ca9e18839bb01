"""stock knows what is left. It serves a socket that lastcall holds, says when it is ready, and stops well on SIGTERM."""

import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

left = {"pens": 1000, "books": 200}
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        count, _, item = self.path.strip("/").partition("/")
        with lock:
            enough = count.isdigit() and left.get(item, 0) >= int(count)
            if enough:
                left[item] -= int(count)
        self.send_response(200 if enough else 409)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def say(text):
    """Tell lastcall, which serves NOTIFY_SOCKET as systemd does."""
    path = os.environ.get("NOTIFY_SOCKET")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect("\0" + path[1:] if path.startswith("@") else path)
            s.send(text.encode())


server = ThreadingHTTPServer(("127.0.0.1", 8081), Handler, bind_and_activate=False)
server.daemon_threads = False  # requests that were taken are answered
if os.environ.get("LISTEN_FDS"):
    server.socket.close()
    server.socket = socket.socket(fileno=3)
else:
    server.server_bind()
    server.server_activate()

signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
say("READY=1\nSTATUS=%d kinds of things" % len(left))
print("open", flush=True)
server.serve_forever()
server.server_close()  # waits for the threads
print("closed, left: %s" % left, flush=True)
