/* The least that waits for a signal: one thread in sigwaitinfo. It prints when it was told, on CLOCK_MONOTONIC. */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	sigset_t signals;
	struct timespec now;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);

	while (sigwaitinfo(&signals, NULL) < 0)
		;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("told %lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	return 0;
}
