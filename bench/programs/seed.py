# A daemon whose two workers do something every ten seconds and end gracefully on SIGTERM, and whose main thread sleeps
# in read(2) on a pipe until the signal's number arrives there. Runs under Python 2.7 and 3.
import errno
import fcntl
import os
import signal
import sys
import threading

told = threading.Event()


def work():
    while not told.is_set():
        told.wait(10)


def main():
    arrival, alarm = os.pipe()
    for end in (arrival, alarm):
        fcntl.fcntl(end, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    fcntl.fcntl(alarm, fcntl.F_SETFL, fcntl.fcntl(alarm, fcntl.F_GETFL) | os.O_NONBLOCK)
    signal.set_wakeup_fd(alarm)
    signal.signal(signal.SIGTERM, lambda number, frame: None)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    sys.stdout.write("ready %d\n" % os.getpid())
    sys.stdout.flush()

    while True:
        try:
            os.read(arrival, 1)
            break
        except OSError as error:
            if error.errno != errno.EINTR:
                raise
    told.set()
    for worker in workers:
        worker.join()


main()
