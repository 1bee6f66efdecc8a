/* SPDX-License-Identifier: MIT */
/* What a process behind the filter can and cannot do. Each row runs in a child of its own. */
#include "daemon/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "table.h"

static int open_file(void)
{
	return open("/dev/null", O_RDONLY);
}

static int make_file(void)
{
	return open("/tmp/gatepost-sandbox", O_WRONLY | O_CREAT | O_TMPFILE, 0600);
}

static int remove_file(void)
{
	return unlink("/tmp/gatepost-sandbox-that-is-not-there");
}

static int run_program(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	return execv("/bin/true", argv);
}

static int fork_child(void)
{
	return fork();
}

static int bind_port(void)
{
	struct sockaddr address = { .sa_family = AF_INET };

	return bind(0, &address, sizeof(address));
}

static int open_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int open_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int kill_others(void)
{
	return kill(getppid(), 0);
}

static int trace_others(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int become_another(void)
{
	return setuid(getuid());
}

static int open_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int open_inet6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	/* a machine may have no IPv6; the filter is not what says so */
	return fd < 0 && errno == EAFNOSUPPORT ? 0 : fd;
}

static int open_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int open_unix_with_flags(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static int open_unix_packets(void)
{
	return socket(AF_UNIX, SOCK_SEQPACKET, 0);
}

static int open_unix_datagrams(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static struct sockaddr_un server; /* of streams, as control.sock is */

static void open_server(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(server);

	server.sun_family = AF_UNIX;
	/* an abstract name that the kernel chooses */
	if (bind(fd, (struct sockaddr *)&server, sizeof(sa_family_t)) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&server, &len) < 0)
		abort();
}

static int connect_datagrams(void)
{
	int fd = open_unix_datagrams();

	if (connect(fd, (struct sockaddr *)&server, offsetof(struct sockaddr_un, sun_path) + 6) ==
	    0)
		return 0;
	/* EPROTOTYPE at a path */
	errno = errno == EPROTOTYPE || errno == ECONNREFUSED ? EPERM : errno;
	return -1;
}

#define WORKER GP_SANDBOX_WORKER

static const struct row {
	const char *name;
	int (*call)(void);
	bool allowed;
	enum gp_sandbox sandbox;
} rows[] = {
	{ "a file cannot be opened", open_file, false, WORKER },
	{ "a file cannot be made", make_file, false, WORKER },
	{ "a file cannot be removed", remove_file, false, WORKER },
	{ "a program cannot be run", run_program, false, WORKER },
	{ "a process cannot be made", fork_child, false, WORKER },
	{ "a port cannot be bound", bind_port, false, WORKER },
	{ "netlink is closed", open_netlink, false, WORKER },
	{ "raw packets are closed", open_packet, false, WORKER },
	{ "other processes cannot be signalled", kill_others, false, WORKER },
	{ "other processes cannot be traced", trace_others, false, WORKER },
	{ "the user cannot be changed", become_another, false, WORKER },
	{ "backends can be called over IPv4", open_inet, true, WORKER },
	{ "backends can be called over IPv6", open_inet6, true, WORKER },
	{ "without backends on unix sockets, none can be called", open_unix, false, WORKER },
	{ "... whatever the flags", open_unix_with_flags, false, WORKER },
	{ "... nor any for packets", open_unix_packets, false, WORKER },
	{ "syslog can be spoken to", open_unix_datagrams, true, WORKER },
	{ "... and through its socket no server", connect_datagrams, false, WORKER },
	{ "backends on unix sockets can be called", open_unix, true, GP_SANDBOX_WORKER_UNIX },
	{ "... with flags", open_unix_with_flags, true, GP_SANDBOX_WORKER_UNIX },
	{ "... and a file cannot be opened", open_file, false, GP_SANDBOX_WORKER_UNIX },
	{ "the fetch process calls no unix socket", open_unix, false, GP_SANDBOX_FETCH },
	{ "... whatever the flags, fetching", open_unix_with_flags, false, GP_SANDBOX_FETCH },
	{ "the fetch process can call over IPv4", open_inet, true, GP_SANDBOX_FETCH },
	{ "the policy process calls no unix socket", open_unix, false, GP_SANDBOX_POLICY },
	{ "... and can open a file", open_file, true, GP_SANDBOX_POLICY },
};

enum { ALLOWED = 10, REFUSED, OTHERWISE, NO_FILTER };

static int outcome(const struct row *row)
{
	if (gp_sandbox_enter(row->sandbox) != GP_OK)
		return NO_FILTER;
	errno = 0;
	if (row->call() >= 0)
		return ALLOWED;
	return errno == EPERM ? REFUSED : OTHERWISE;
}

static void run(void **state)
{
	const struct row *row = *state;
	pid_t pid = fork();
	int status;

	/* not _exit, behind which a sanitizer wants calls that the filter refuses */
	if (pid == 0)
		syscall(SYS_exit_group, outcome(row));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), row->allowed ? ALLOWED : REFUSED);
}

int main(void)
{
	struct table table = { 0 };

	open_server();
	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
