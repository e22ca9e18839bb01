"""The corpus' daemons in Python: a small web server that stops well and, with --fault NAME, is broken in one way.

A thread for each connection, and the main thread, which accepts and waits for signals. At the stop it makes the kernel refuse new
connections, accepts what waits in the queue, and answers what was sent, with "Connection: close".
"""

import argparse
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

SLOW_FOR = 1.0  # /slow takes
LINGER = 1.0  # an idle connection is kept after the stop began: a request may be on its way
FRESH = 5.0  # the same for one without any request yet
SO_BINDTOIFINDEX = 62
NO_INTERFACE = 2**31 - 1


class Daemon:
    def __init__(self, args):
        self.port = args.port
        self.lame_duck = args.lame_duck
        self.fault = args.fault
        self.asked = False  # to stop
        self.red = False
        self.threads = set()
        self.read_wake, self.write_wake = os.pipe()
        self.read_stop, self.write_stop = os.pipe()  # its end is the stop, for the threads
        os.set_blocking(self.write_wake, False)

    def on_signal(self, number, frame):
        self.asked = True

    def handle(self):
        signal.set_wakeup_fd(self.write_wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self.on_signal)
        signal.signal(signal.SIGINT, self.on_signal)

    def prepare(self):
        """What takes a while at the start."""

    def listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.listener.setblocking(False)

    def main(self):
        self.handle()
        self.prepare()
        self.listen()
        self.say("listening")
        while not self.asked:
            readable, _, _ = select.select([self.listener, self.read_wake], [], [])
            if self.read_wake in readable:
                os.read(self.read_wake, 4096)
            elif self.listener in readable:
                self.accept()
        self.stop()
        self.leave()

    def stop(self):
        self.red = True
        until = time.monotonic() + self.lame_duck
        while (left := until - time.monotonic()) > 0:
            if select.select([self.listener], [], [], left)[0]:
                self.accept()
        if sys.platform == "linux":  # elsewhere a connection may be reset that is made in the moment of the closing
            self.listener.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, NO_INTERFACE)
        while select.select([self.listener], [], [], 0.05)[0]:
            self.accept()
        self.listener.close()
        os.close(self.write_stop)
        for thread in list(self.threads):
            thread.join()

    def leave(self):
        """The end."""
        self.say("goodbye")

    def say(self, text):
        try:
            print(text, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads any more

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            thread = threading.Thread(target=self.serve, args=[conn])
            self.threads.add(thread)
            thread.start()

    # On a connection's own thread.

    def serve(self, conn):
        conn.settimeout(None)
        try:
            with conn:
                first = True
                while self.awaits(conn, FRESH if first else LINGER) and self.answer(conn):
                    first = False
        except OSError:
            pass  # the client has gone
        self.threads.discard(threading.current_thread())

    def awaits(self, conn, linger):
        """Waits for a request: for as long as it takes, and a little longer when the stop has begun."""
        readable, _, _ = select.select([conn, self.read_stop], [], [])
        return conn in readable or bool(select.select([conn], [], [], linger)[0])

    def answer(self, conn):
        """Answers one request, and reports whether there may be another."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = conn.recv(65536)
            if not more:
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(":", 1) for line in lines[1:] if ":" in line)
        try:
            method, path, version = lines[0].split(" ")
        except ValueError:
            method, path, version = "", "", ""
        if version != "HTTP/1.1":
            conn.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        missing = int(fields.get("content-length", "0")) - len(body)
        while missing > 0:
            more = conn.recv(65536)
            if not more:
                return False
            missing -= len(more)
        status, text = self.respond(path)
        close = self.closes(fields)
        conn.sendall(
            b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n%s\r\n%s"
            % (status, len(text), b"Connection: close\r\n" if close else b"", text)
        )
        return not close

    def closes(self, fields):
        """Whether an answer is the last on its connection."""
        return self.asked or fields.get("connection", "").strip() == "close"

    def respond(self, path):
        if path == "/slow":
            time.sleep(SLOW_FOR)
        if path == "/ready" and self.red:
            return 503, b"stopping\n"
        return 200, b"hello\n"


# --- broken in one way ----------------------------------------------------------------------------


class NoHandler(Daemon):
    def handle(self):
        signal.signal(signal.SIGINT, self.on_signal)
        signal.set_wakeup_fd(self.write_wake)


class OneSignal(Daemon):
    """A thread waits for one signal; those that come after it wait for ever. As healthy as others."""

    def handle(self):
        stop = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, stop)

        def wait():
            signal.sigwait(stop)
            self.asked = True
            os.write(self.write_wake, b".")

        threading.Thread(target=wait, daemon=True).start()


class ClosesEach(Daemon):
    """It closes each connection after its answer, as servers of HTTP/1.0 do. As healthy as others."""

    def answer(self, conn):
        super().answer(conn)
        return False

    def closes(self, fields):
        return True


class NoInt(Daemon):
    def handle(self):
        super().handle()
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class IgnoresInt(Daemon):
    def handle(self):
        super().handle()
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class Aborts(Daemon):
    """As a C extension does whose destructor finds what another has destroyed."""

    def leave(self):
        os.abort()


class ExitsOneIfBusy(Daemon):
    """Its stop counts a connection that is open as a failure."""

    def leave(self):
        super().leave()
        sys.exit(1 if self.busy else 0)

    def stop(self):
        self.busy = bool(self.threads)
        super().stop()


class Segfaults(Daemon):
    def leave(self):
        ctypes.string_at(0)


class Raises(Daemon):
    def leave(self):
        raise RuntimeError("cannot close what is closed")


class NeverJoins(Daemon):
    """A thread that nobody tells of the stop keeps the interpreter from ending."""

    def prepare(self):
        threading.Thread(target=threading.Event().wait).start()


class Polls(Daemon):
    def prepare(self):
        def look():
            while not self.asked:
                time.sleep(0.1)

        threading.Thread(target=look, daemon=True).start()


class BusyTimer(Daemon):
    def prepare(self):
        signal.signal(signal.SIGALRM, lambda number, frame: None)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)

    def leave(self):
        signal.setitimer(signal.ITIMER_REAL, 0)  # the interpreter's end takes the handler away


class ForgetsEarly(Daemon):
    """Its initialisation overwrites what the handler has noted."""

    def prepare(self):
        time.sleep(2)
        self.asked = False



class LateHandler(Daemon):
    """Clients can connect before it can stop well."""

    def main(self):
        self.listen()
        time.sleep(0.5)
        super().main()

    def listen(self):
        if not hasattr(self, "listener"):
            super().listen()


class StartupChild(Daemon):
    """Its handler does not know of the helper until that has done its work."""

    def main(self):
        self.handle()
        helper = subprocess.Popen(["sleep", "86400"])
        for _ in range(200):
            time.sleep(0.01)
            if self.asked:
                sys.exit(0)
        helper.kill()
        helper.wait()
        super().main()


class ExitsAtOnce(Daemon):
    def on_signal(self, number, frame):
        os._exit(0)


class ClosesQueue(Daemon):
    """It closes the listener with what waits in its queue."""

    def stop(self):
        self.listener.close()
        os.close(self.write_stop)
        for thread in list(self.threads):
            thread.join()

    def accept(self):
        if not self.asked:
            super().accept()


class ClosesIdle(Daemon):
    """It takes a connection for idle on which a request has arrived that nobody has read."""

    def awaits(self, conn, linger):
        readable, _, _ = select.select([conn, self.read_stop], [], [])
        time.sleep(0.1)  # so that a signal that came together with the request is seen first
        if self.asked:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        return conn in readable


class StaysGreen(Daemon):

    def respond(self, path):
        self.red = False
        return super().respond(path)


class StormLock(Daemon):
    """Its handler takes a lock that it may have already."""

    lock = threading.Lock()

    def on_signal(self, number, frame):
        with self.lock:
            time.sleep(0.5)
            super().on_signal(number, frame)


class StormAbort(Daemon):
    """Its handler cannot be entered twice."""

    inside = False

    def on_signal(self, number, frame):
        if self.inside:
            os.abort()
        self.inside = True
        time.sleep(0.5)
        super().on_signal(number, frame)
        self.inside = False


class StartsOver(Daemon):
    """When it is continued it begins again, and forgets what it was asked for."""

    def handle(self):
        super().handle()
        signal.signal(signal.SIGCONT, self.on_continue)

    def on_continue(self, number, frame):
        self.asked = False


class WaitsForLog(Daemon):
    """It tries to write a line of its log until it can."""

    def say(self, text):
        while True:
            try:
                os.write(1, text.encode() + b"\n")
                return
            except BrokenPipeError:
                time.sleep(0.1)


class NoLog(Daemon):
    """It does not think of a log that cannot be written."""

    def say(self, text):
        print(text, flush=True)


class NoReuse(Daemon):
    def listen(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(128)
        self.listener.setblocking(False)


class UnixSocket(Daemon):
    """It takes over the path of its socket."""

    def listen(self):
        if os.path.exists("control.sock"):
            os.unlink("control.sock")
        self.bind()
        super().listen()

    def bind(self):
        self.control = socket.socket(socket.AF_UNIX)
        self.control.bind("control.sock")
        self.control.listen()


class StaleSocket(UnixSocket):
    """It leaves its socket there, and is in its own way."""

    def listen(self):
        self.bind()
        Daemon.listen(self)


class Zombies(Daemon):
    """It never asks how its children ended."""

    def prepare(self):
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                os._exit(0)


class Reaps(Daemon):
    """It buries whoever dies."""

    def handle(self):
        super().handle()
        signal.signal(signal.SIGCHLD, self.on_child)

    def on_child(self, number, frame):
        try:
            while os.waitpid(-1, os.WNOHANG)[0] > 0:
                pass
        except ChildProcessError:
            pass


class Helper(Daemon):
    """It has a helper, and stops it."""

    def prepare(self):
        self.helper = subprocess.Popen(["sleep", "86400"])

    def leave(self):
        self.helper.kill()
        self.helper.wait()


class DoubleFork(Daemon):
    """Its helper has left it, as daemons do, and outlives it."""

    def prepare(self):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp("sleep", ["sleep", "86400"])
            os._exit(0)
        os.wait()


class EveryThird(Daemon):
    """Each third of its stops ends otherwise."""

    def leave(self):
        with open("lives", "a+") as file:
            file.write(".")
            file.flush()
            file.seek(0)
            if len(file.read()) % 3 == 0:
                os._exit(128 + signal.SIGTERM)


FAULTS = {
    "": Daemon,
    "one-signal": OneSignal,
    "closes-each": ClosesEach,
    "no-handler": NoHandler,
    "no-int": NoInt,
    "ignores-int": IgnoresInt,
    "abort": Aborts,
    "exit-1-if-busy": ExitsOneIfBusy,
    "segfault": Segfaults,
    "exception": Raises,
    "never-joins": NeverJoins,
    "polls": Polls,
    "timer": BusyTimer,
    "forgets-early": ForgetsEarly,
    "late-handler": LateHandler,
    "startup-child": StartupChild,
    "exits-at-once": ExitsAtOnce,
    "closes-queue": ClosesQueue,
    "closes-idle": ClosesIdle,
    "stays-green": StaysGreen,
    "storm-lock": StormLock,
    "storm-abort": StormAbort,
    "starts-over": StartsOver,
    "waits-for-log": WaitsForLog,
    "no-log": NoLog,
    "no-reuse": NoReuse,
    "unix-socket": UnixSocket,
    "stale-socket": StaleSocket,
    "zombies": Zombies,
    "reaps": Reaps,
    "helper": Helper,
    "double-fork": DoubleFork,
    "every-third": EveryThird,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--lame-duck", type=float, default=0)
    parser.add_argument("--fault", choices=FAULTS, default="")
    args = parser.parse_args()
    FAULTS[args.fault](args).main()


main()
