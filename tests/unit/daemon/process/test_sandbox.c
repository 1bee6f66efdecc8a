/* SPDX-License-Identifier: MIT */
/* What a process that was taken over can still do: each row enters a filter in a child of its own and
 * tries one call. */
#include "daemon/process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/process/landlock.h"
#include "daemon/process/memory.h"
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

/* ---- memory, limits, signals ---- */

static int map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static int map_data(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static char page[8192] __attribute__((aligned(4096)));

static int make_code(void)
{
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int make_data(void)
{
	return mprotect(page, 4096, PROT_READ);
}

static int limit_others(void)
{
	const struct rlimit none = { 0, 0 };

	return prlimit(getppid(), RLIMIT_NOFILE, &none, NULL);
}

static int limit_itself(void)
{
	struct rlimit limit;

	return prlimit(0, RLIMIT_NOFILE, NULL, &limit);
}

static int signal_others(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int signal_itself(void)
{
	return (int)syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static int open_pid(void)
{
	return (int)syscall(SYS_pidfd_open, getppid(), 0);
}

static int read_others(void)
{
	struct iovec here = { page, 1 }, there = { page, 1 };

	return (int)process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static int write_others(void)
{
	struct iovec here = { page, 1 }, there = { page, 1 };

	return (int)process_vm_writev(getppid(), &here, 1, &there, 1, 0);
}

/* ---- descriptors ---- */

static int own_by_others(void)
{
	return fcntl(0, F_SETOWN, getppid());
}

static int signal_by_io(void)
{
	return fcntl(0, F_SETSIG, SIGKILL);
}

static int seal(void)
{
	return fcntl(0, F_ADD_SEALS, 0);
}

static int read_flags(void)
{
	return fcntl(2, F_GETFL);
}

static int type_at_terminal(void)
{
	char letter = 'x';

	return ioctl(0, TIOCSTI, &letter);
}

static int make_memory(void)
{
	return memfd_create("x", 0);
}

static int shorten(void)
{
	return ftruncate(0, 0);
}

static int read_directory(void)
{
	return (int)syscall(SYS_getdents64, 0, page, sizeof(page));
}

/* ---- new processes and name spaces ---- */

static int clone_process(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int clone_name_space(void)
{
	return (int)syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWUSER, 0,
			    0, 0, 0);
}

static int leave_name_space(void)
{
	return unshare(CLONE_NEWUSER);
}

static void *nothing(void *arg)
{
	return arg;
}

static int start_thread(void)
{
	pthread_t thread;
	int ret = pthread_create(&thread, NULL, nothing, NULL);

	errno = ret ? EPERM : 0;
	return ret ? -1 : pthread_join(thread, NULL);
}

/* glibc must believe that the kernel lacks it. */
static int clone_by_the_new_call(void)
{
	if (syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS)
		errno = EPERM;
	return -1;
}

/* ---- the machine ---- */

static int become_root(void)
{
	return setresuid(0, 0, 0);
}

static int change_root(void)
{
	return chroot("/");
}

static int mount_something(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int filter_anew(void)
{
	return (int)syscall(SYS_seccomp, 1, 0, NULL);
}

static int load_program(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int use_ring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int watch_memory(void)
{
	return (int)syscall(SYS_userfaultfd, 0);
}

static int read_keys(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int use_clock(void)
{
	struct timespec now = { 0, 0 };

	return clock_settime(CLOCK_REALTIME, &now);
}

#define WORKER GP_SANDBOX_WORKER
#define UNIX   GP_SANDBOX_WORKER_UNIX
#define FETCH  GP_SANDBOX_FETCH
#define POLICY GP_SANDBOX_POLICY

static const struct row {
	const char *name;
	int (*call)(void);
	bool allowed;
	enum gp_sandbox sandbox;
} rows[] = {
	{ "a file cannot be opened", open_file, false, WORKER },
	{ "a file cannot be made", make_file, false, WORKER },
	{ "a file cannot be removed", remove_file, false, WORKER },
	{ "a directory cannot be read", read_directory, false, WORKER },
	{ "a program cannot be run", run_program, false, WORKER },
	{ "a process cannot be made", fork_child, false, WORKER },
	{ "... by clone", clone_process, false, WORKER },
	{ "... by clone3", clone_by_the_new_call, false, WORKER },
	{ "a thread cannot be made", start_thread, false, WORKER },
	{ "a name space cannot be entered", leave_name_space, false, WORKER },
	{ "code cannot be mapped", map_code, false, WORKER },
	{ "data cannot become code", make_code, false, WORKER },
	{ "data can be mapped", map_data, true, WORKER },
	{ "data can be made constant", make_data, true, WORKER },
	{ "other processes cannot be signalled", kill_others, false, WORKER },
	{ "... nor their threads", signal_others, false, WORKER },
	{ "... nor by a descriptor", own_by_others, false, WORKER },
	{ "... nor with a signal of one's choice", signal_by_io, false, WORKER },
	{ "it can abort", signal_itself, true, WORKER },
	{ "other processes cannot be limited", limit_others, false, WORKER },
	{ "it can see its own limits", limit_itself, true, WORKER },
	{ "other processes cannot be traced", trace_others, false, WORKER },
	{ "... nor opened", open_pid, false, WORKER },
	{ "... nor read", read_others, false, WORKER },
	{ "... nor written", write_others, false, WORKER },
	{ "memory for sharing cannot be made", make_memory, false, WORKER },
	{ "... nor sealed", seal, false, WORKER },
	{ "... nor shortened", shorten, false, WORKER },
	{ "memory cannot be watched", watch_memory, false, WORKER },
	{ "flags of descriptors can be read", read_flags, true, WORKER },
	{ "nothing can be typed at a terminal", type_at_terminal, false, WORKER },
	{ "a port cannot be bound", bind_port, false, WORKER },
	{ "netlink is closed", open_netlink, false, WORKER },
	{ "raw packets are closed", open_packet, false, WORKER },
	{ "the user cannot be changed", become_another, false, WORKER },
	{ "... to root", become_root, false, WORKER },
	{ "the root cannot be changed", change_root, false, WORKER },
	{ "nothing can be mounted", mount_something, false, WORKER },
	{ "no filter can be added", filter_anew, false, WORKER },
	{ "no program can be given to the kernel", load_program, false, WORKER },
	{ "io_uring, which passes filters by, is closed", use_ring, false, WORKER },
	{ "the kernel's keys are closed", read_keys, false, WORKER },
	{ "the clock cannot be set", use_clock, false, WORKER },
	{ "backends can be called over IPv4", open_inet, true, WORKER },
	{ "backends can be called over IPv6", open_inet6, true, WORKER },
	{ "without backends on unix sockets, none can be called", open_unix, false, WORKER },
	{ "... whatever the flags", open_unix_with_flags, false, WORKER },
	{ "... nor any for packets", open_unix_packets, false, WORKER },
	{ "... nor for datagrams", open_unix_datagrams, false, WORKER },
	{ "backends on unix sockets can be called", open_unix, true, UNIX },
	{ "... with flags", open_unix_with_flags, true, UNIX },
	{ "... and no others", open_unix_datagrams, false, UNIX },
	{ "... and a file cannot be opened", open_file, false, UNIX },
	{ "... nor code be mapped", map_code, false, UNIX },
	{ "the fetch process calls no unix socket", open_unix, false, FETCH },
	{ "... whatever the flags, fetching", open_unix_with_flags, false, FETCH },
	{ "... can call over IPv4", open_inet, true, FETCH },
	{ "... can open no file", open_file, false, FETCH },
	{ "... can start no thread", start_thread, false, FETCH },
	{ "... can map no code", map_code, false, FETCH },
	{ "... can signal nobody", signal_others, false, FETCH },
	{ "the policy process calls no unix socket", open_unix, false, POLICY },
	{ "... can open a file", open_file, true, POLICY },
	{ "... can start a thread", start_thread, true, POLICY },
	{ "... can make no process", clone_process, false, POLICY },
	{ "... nor by fork", fork_child, false, POLICY },
	{ "... can enter no name space", clone_name_space, false, POLICY },
	{ "... can map no code, for the store", map_code, false, POLICY },
	{ "... can run no program", run_program, false, POLICY },
	{ "... can signal nobody, for the store", signal_others, false, POLICY },
	{ "... can limit nobody", limit_others, false, POLICY },
	{ "... can trace nobody", trace_others, false, POLICY },
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

/* ---- files ---- */

static char place[] = "/tmp/gatepost-landlock-XXXXXX";

static int make_file_there(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/file", place);
	return open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

static int remove_file_there(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/file", place);
	return make_file_there() < 0 ? -1 : unlink(path);
}

static int run_file_there(void)
{
	char path[64];
	char *const argv[] = { path, NULL };

	snprintf(path, sizeof(path), "%s/file", place);
	close(open(path, O_RDWR | O_CREAT | O_TRUNC, 0700));
	return execv(path, argv);
}

static int read_passwd(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int make_elsewhere(void)
{
	return open("/tmp/gatepost-landlock-elsewhere", O_WRONLY | O_CREAT, 0600);
}

static int write_passwd(void)
{
	return open("/etc/passwd", O_WRONLY);
}

static const struct gp_landlock_path store[] = { { place, true }, { "/etc", false } };

static const struct file_row {
	const char *name;
	int (*call)(void);
	bool allowed;
	size_t paths;
} file_rows[] = {
	{ "landlock: no file can be read", read_passwd, false, 0 },
	{ "landlock: no file can be made", make_file_there, false, 0 },
	{ "landlock: the store's files can be made", make_file_there, true, 2 },
	{ "landlock: ... and removed", remove_file_there, true, 2 },
	{ "landlock: ... and not run", run_file_there, false, 2 },
	{ "landlock: nothing can be made elsewhere", make_elsewhere, false, 2 },
	{ "landlock: what may be read is read", read_passwd, true, 2 },
	{ "landlock: ... and not written", write_passwd, false, 2 },
};

static int file_outcome(const struct file_row *row)
{
	if (gp_landlock_enter(store, row->paths) != GP_OK)
		return NO_FILTER;
	errno = 0;
	if (row->call() >= 0)
		return ALLOWED;
	return errno == EACCES ? REFUSED : OTHERWISE;
}

static void run_file(void **state)
{
	const struct file_row *row = *state;
	pid_t pid;
	int status;

	if (!gp_landlock_is_there())
		skip();
	pid = fork();
	if (pid == 0)
		syscall(SYS_exit_group, file_outcome(row));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), row->allowed ? ALLOWED : REFUSED);
}

/* What another process has mapped stays as long as it is. */
static void shared_memory_keeps_its_size(void **state)
{
	void *map;
	int fd;

	(void)state;
	assert_int_equal(gp_memory_share("test", 4096, &fd, &map), GP_OK);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 8192), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	*(char *)map = 1;
	munmap(map, 4096);
	close(fd);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	assert_non_null(mkdtemp(place));
	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, file_rows, run_file);
	table_one(&table, "shared memory keeps its size", shared_memory_keeps_its_size);
	ret = table_run(&table);
	make_file_there();
	remove_file_there();
	rmdir(place);
	return ret;
}
