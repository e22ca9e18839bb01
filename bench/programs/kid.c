/*
 * The child whose supervisor is measured: kid MODE BOARD
 *
 * BOARD is a file of 64-byte slots that the benchmark maps too (../board); the kid takes the next one and notes there, on
 * CLOCK_MONOTONIC, when it ran and when which signal told it to stop. While it waits it costs nothing.
 *
 *   wait            ends at once when it is told
 *   ignore          is told, and stays
 *   drain:MS        ends so many milliseconds after it was told
 *   exit:CODE       ends by itself, after 1.2 s
 *   group, session  has a grandchild that has lost its parent and waits, in the same process group or a session of its own
 *   orphan          has one that ends by itself, after 0.3 s
 *   write:ID:LINES  after 0.5 s writes so many lines of 100 bytes, and then waits
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct slot {
	int64_t pid, grandchild, started, told, signal, done, signals, unused;
};

static struct {
	int64_t taken, started, unused[6];
	struct slot slots[];
} *board;
static long capacity;

static struct slot *mine;
static sigset_t inherited;
static int stays;
static long drain = -1;
static volatile sig_atomic_t draining;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void nap(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) < 0)
		;
}

static void told(int sig)
{
	__atomic_fetch_add(&mine->signals, 1, __ATOMIC_RELEASE);
	if (!mine->told) {
		mine->signal = sig;
		__atomic_store_n(&mine->told, now(), __ATOMIC_RELEASE);
	}
	if (stays)
		return;
	if (drain < 0)
		_exit(0);
	draining = 1;
}

static void arrive(int grandchild)
{
	long i = __atomic_fetch_add(&board->taken, 1, __ATOMIC_RELAXED);

	if (i >= capacity)
		_exit(9);
	mine = &board->slots[i];
	mine->grandchild = grandchild;
	mine->pid = getpid();
	__atomic_store_n(&mine->started, now(), __ATOMIC_RELEASE);
	__atomic_fetch_add(&board->started, 1, __ATOMIC_RELEASE);
}

static void done(void)
{
	__atomic_store_n(&mine->done, now(), __ATOMIC_RELEASE);
}

/* Signals are blocked but here, so that none comes between a look and the sleep. */
static void wait_for_the_end(void)
{
	while (!draining)
		sigsuspend(&inherited);
	nap(drain);
	done();
	_exit(0);
}

static void leave_grandchild(const char *mode)
{
	pid_t middle = fork();

	if (middle) {
		waitpid(middle, NULL, 0);
		return;
	}
	if (fork())
		_exit(0);
	if (!strcmp(mode, "session"))
		setsid();
	arrive(1);
	if (!strcmp(mode, "orphan")) {
		nap(300);
		_exit(0);
	}
	wait_for_the_end();
}

static void write_lines(const char *arg)
{
	enum { length = 100, lines = 40 }; /* a buffer as large as stdio's */
	static char text[lines * length + 1];
	long id = atol(arg), total = atol(strchr(arg, ':') + 1), n = 0;

	nap(500);
	while (n < total) {
		char *end = text;

		for (int i = 0; i < lines && n < total; i++, n++) {
			int head = sprintf(end, "#%02ld:%09ld:", id, n);

			memset(end + head, 'x', length - head - 2);
			memcpy(end + length - 2, ".\n", 2);
			end += length;
		}
		for (char *p = text; p < end;) {
			ssize_t wrote = write(1, p, end - p);

			if (wrote < 0)
				_exit(8);
			p += wrote;
		}
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc == 3 ? argv[1] : "";
	const int stops[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = told};
	struct stat info;
	sigset_t all;
	int fd;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &inherited);
	sigfillset(&action.sa_mask);
	for (unsigned i = 0; i < sizeof stops / sizeof *stops; i++)
		sigaction(stops[i], &action, NULL);

	if (argc != 3 || (fd = open(argv[2], O_RDWR | O_CLOEXEC)) < 0 || fstat(fd, &info) < 0)
		return 9;
	board = mmap(NULL, info.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		return 9;
	close(fd);
	capacity = (info.st_size - sizeof *board) / sizeof(struct slot);

	stays = !strcmp(mode, "ignore");
	if (!strncmp(mode, "drain:", 6))
		drain = atol(mode + 6);
	if (!strcmp(mode, "group") || !strcmp(mode, "session") || !strcmp(mode, "orphan"))
		leave_grandchild(mode);
	arrive(0);
	if (!strncmp(mode, "exit:", 5)) {
		nap(1200);
		return atoi(mode + 5);
	}
	if (!strncmp(mode, "write:", 6)) {
		write_lines(mode + 6);
		done();
	}
	wait_for_the_end();
}
