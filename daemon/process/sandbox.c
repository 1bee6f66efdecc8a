/* SPDX-License-Identifier: MIT */
#include "daemon/process/sandbox.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

/* A refused call returns EPERM: OpenSSL, for one, looks for a configuration file and does well
 * without. */
/* clang-format off */
static const int worker_calls[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(close),
	SCMP_SYS(connect),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpeername),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrlimit),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(time),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

static const int fetch_calls[] = {
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(socketpair),
};

/* SQLite's files, and no others (landlock.h); libunbound's thread, sockets and trust anchors. */
static const int policy_calls[] = {
	SCMP_SYS(access),
	SCMP_SYS(bind),
	SCMP_SYS(eventfd2),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fallocate),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fsync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(getcwd),
	SCMP_SYS(getegid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getuid),
	SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_restrict_self),
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(openat),
	SCMP_SYS(pipe2),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(readlink),
	SCMP_SYS(rename), /* of a damaged file and its successor */
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(rseq),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(socketpair),
	SCMP_SYS(stat),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
};

/* clang-format on */

/* Calls of which an argument matters: a row for each value that is fine. */
enum { ALL = 0xff, POLICY = 1 << GP_SANDBOX_POLICY };

/* Of an argument that the kernel takes as an int. */
#define INT_BITS UINT32_MAX

/* The argument in `argument`, under `mask`, is `value`. */
struct condition {
	unsigned sandboxes;
	int call;
	unsigned argument;
	uint64_t mask;
	uint64_t value;
};

enum {
	/* A thread, and neither a process nor a name space. */
	THREAD = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
	NAME_SPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		      CLONE_NEWPID | CLONE_NEWNET
};

/* The value of a row that means the process itself. */
static const uint64_t own_pid = UINT64_MAX;

static const struct condition conditions[] = {
	/* code is there when the process starts, and none comes later */
	{ ALL, SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ ALL, SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
	/* abort() and the heap's checks; no other process is sent a signal or given a limit */
	{ ALL, SCMP_SYS(tgkill), 0, INT_BITS, own_pid },
	{ ALL, SCMP_SYS(prlimit64), 0, INT_BITS, 0 },
	{ ALL, SCMP_SYS(prlimit64), 0, INT_BITS, own_pid },
	/* not F_SETOWN and F_SETSIG, by which the kernel sends signals */
	{ ALL, SCMP_SYS(fcntl), 1, INT_BITS, F_GETFD },
	{ ALL, SCMP_SYS(fcntl), 1, INT_BITS, F_SETFD },
	{ ALL, SCMP_SYS(fcntl), 1, INT_BITS, F_GETFL },
	{ ALL, SCMP_SYS(fcntl), 1, INT_BITS, F_SETFL },
	{ ALL, SCMP_SYS(fcntl), 1, INT_BITS, F_DUPFD_CLOEXEC },
	{ POLICY, SCMP_SYS(fcntl), 1, INT_BITS, F_GETLK },
	{ POLICY, SCMP_SYS(fcntl), 1, INT_BITS, F_SETLK },
	/* not TIOCSTI, which types at a terminal */
	{ ALL, SCMP_SYS(ioctl), 1, INT_BITS, FIONREAD },
	{ ALL, SCMP_SYS(ioctl), 1, INT_BITS, FIONBIO },
	{ ALL, SCMP_SYS(ioctl), 1, INT_BITS, TCGETS },
	{ POLICY, SCMP_SYS(clone), 0, THREAD | NAME_SPACES, THREAD },
	/* the log's socket comes from the supervisor */
	{ ALL, SCMP_SYS(socket), 0, INT_BITS, AF_INET },
	{ ALL, SCMP_SYS(socket), 0, INT_BITS, AF_INET6 },
};

/* Kinds of sockets without their flags, such as SOCK_CLOEXEC. */
enum { TYPE_MASK = 0xf };

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return GP_E_IO;
	}
	return GP_OK;
}

static int allow_if(scmp_filter_ctx filter, const struct condition *condition)
{
	uint64_t value = condition->value == own_pid ? (uint64_t)getpid() : condition->value;
	const struct scmp_arg_cmp argument = { .arg = condition->argument,
					       .op = SCMP_CMP_MASKED_EQ,
					       .datum_a = condition->mask,
					       .datum_b = value };

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, condition->call, 1, &argument) < 0
		       ? GP_E_IO
		       : GP_OK;
}

/* Streams only: what is bound for datagrams is the log daemon's, and the service manager's. */
static int allow_unix_streams(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp arguments[] = {
		{ .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_UNIX },
		{ .arg = 1,
		  .op = SCMP_CMP_MASKED_EQ,
		  .datum_a = TYPE_MASK,
		  .datum_b = SOCK_STREAM },
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, arguments) < 0
		       ? GP_E_IO
		       : GP_OK;
}

static int allow_conditions(scmp_filter_ctx filter, enum gp_sandbox sandbox)
{
	int ret = GP_OK;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions) && ret == GP_OK; i++) {
		if (conditions[i].sandboxes & (1U << sandbox))
			ret = allow_if(filter, &conditions[i]);
	}
	if (ret == GP_OK && sandbox == GP_SANDBOX_WORKER_UNIX)
		ret = allow_unix_streams(filter);
	/* its flags are in memory, which no filter sees; glibc takes clone instead */
	if (ret == GP_OK &&
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) < 0)
		ret = GP_E_IO;
	return ret;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int add_rules(scmp_filter_ctx filter, enum gp_sandbox sandbox)
{
	int ret = allow(filter, worker_calls, COUNT(worker_calls));

	if (ret == GP_OK)
		ret = allow_conditions(filter, sandbox);
	if (ret == GP_OK && sandbox == GP_SANDBOX_FETCH)
		ret = allow(filter, fetch_calls, COUNT(fetch_calls));
	if (ret == GP_OK && sandbox == GP_SANDBOX_POLICY)
		ret = allow(filter, policy_calls, COUNT(policy_calls));
	return ret;
}

int gp_sandbox_enter(enum gp_sandbox sandbox)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = filter ? add_rules(filter, sandbox) : GP_E_IO;

	if (ret == GP_OK &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load(filter) < 0))
		ret = GP_E_IO;
	if (filter)
		seccomp_release(filter);
	return ret;
}
