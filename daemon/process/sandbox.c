/* SPDX-License-Identifier: MIT */
#include "daemon/process/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/err.h"

/* A refused call returns EPERM: OpenSSL, for one, looks for a configuration file and does well
 * without. */
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
	SCMP_SYS(fcntl),
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
	SCMP_SYS(ioctl),
	SCMP_SYS(madvise),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(prlimit64),
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
	SCMP_SYS(tgkill),
	SCMP_SYS(time),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

static const int fetch_calls[] = {
	SCMP_SYS(eventfd2),
	SCMP_SYS(pipe2),
	SCMP_SYS(poll),
	SCMP_SYS(socketpair),
};

/* SQLite's files; libunbound's thread, sockets and trust anchors. */
static const int policy_calls[] = {
	SCMP_SYS(access),
	SCMP_SYS(bind),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
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
	SCMP_SYS(lseek),
	SCMP_SYS(lstat),
	SCMP_SYS(openat),
	SCMP_SYS(pipe2),
	SCMP_SYS(poll),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(readlink),
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

/* A damaged file is kept under another name, and its successor gets this one. */
static const int rename_calls[] = { SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2) };

/* All kinds of a family, or one kind of it. A socket for datagrams cannot connect to a server of
 * streams (EPROTOTYPE); glibc's syslog() needs one when the log daemon was started anew. */
struct kind {
	int family;
	int type; /* -1: any */
};

static const struct kind kinds[] = { { AF_INET, -1 }, { AF_INET6, -1 }, { AF_UNIX, SOCK_DGRAM } };
static const struct kind unix_streams = { AF_UNIX, SOCK_STREAM };

enum { TYPE_MASK = 0xf }; /* what is left are flags, such as SOCK_CLOEXEC */

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) < 0)
			return GP_E_IO;
	}
	return GP_OK;
}

static int allow_kind(scmp_filter_ctx filter, const struct kind *kind)
{
	const struct scmp_arg_cmp arguments[] = {
		{ .arg = 0,
		  .op = SCMP_CMP_EQ,
		  .datum_a = (scmp_datum_t)kind->family,
		  .datum_b = 0 },
		{ .arg = 1,
		  .op = SCMP_CMP_MASKED_EQ,
		  .datum_a = TYPE_MASK,
		  .datum_b = (scmp_datum_t)kind->type },
	};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket),
				      kind->type < 0 ? 1 : 2, arguments) < 0
		       ? GP_E_IO
		       : GP_OK;
}

static int allow_sockets(scmp_filter_ctx filter, enum gp_sandbox sandbox)
{
	int ret = GP_OK;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && ret == GP_OK; i++)
		ret = allow_kind(filter, &kinds[i]);
	if (ret == GP_OK && sandbox == GP_SANDBOX_WORKER_UNIX)
		ret = allow_kind(filter, &unix_streams);
	return ret;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int add_rules(scmp_filter_ctx filter, enum gp_sandbox sandbox)
{
	int ret = allow(filter, worker_calls, COUNT(worker_calls));

	if (ret == GP_OK)
		ret = allow_sockets(filter, sandbox);
	if (ret == GP_OK && sandbox == GP_SANDBOX_FETCH)
		ret = allow(filter, fetch_calls, COUNT(fetch_calls));
	if (ret == GP_OK && sandbox == GP_SANDBOX_POLICY)
		ret = allow(filter, policy_calls, COUNT(policy_calls));
	if (ret == GP_OK && sandbox == GP_SANDBOX_POLICY)
		ret = allow(filter, rename_calls, COUNT(rename_calls));
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
