/* SPDX-License-Identifier: MIT */
#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* ---- standard error ---- */

/* Pipes and terminals are opened anew, because O_NONBLOCK would hold for everybody who has the same
 * description. A file never blocks, and of a socket each call can say that it must not. */
void gp_log_sink_own_stderr(void)
{
	struct stat state;
	int fd;

	if (fstat(STDERR_FILENO, &state) < 0 ||
	    (!S_ISFIFO(state.st_mode) && !S_ISCHR(state.st_mode)))
		return;
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static struct {
	bool is_socket;
	bool never_blocks;
} stderr_is;

void gp_log_sink_look(void)
{
	struct stat state;

	if (fstat(STDERR_FILENO, &state) < 0)
		return;
	stderr_is.is_socket = S_ISSOCK(state.st_mode);
	stderr_is.never_blocks = S_ISREG(state.st_mode) ||
				 fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK;
}

/* A pipe that could not be opened anew, because another user has made it. */
static bool would_block(void)
{
	struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&poll_fd, 1, 0) != 1 || !(poll_fd.revents & POLLOUT);
}

bool gp_log_sink_stderr(const char *line, size_t len)
{
	ssize_t n = -1;

	if (stderr_is.is_socket)
		n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (stderr_is.never_blocks || !would_block())
		n = write(STDERR_FILENO, line, len);
	return n == (ssize_t)len;
}

/* ---- syslog ---- */

enum { STAMP_SIZE = 32, HEAD_SIZE = 96 };

static int syslog_fd = -1;

static bool reach_daemon(int fd)
{
	static const struct sockaddr_un daemon = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	return connect(fd, (const struct sockaddr *)&daemon, sizeof(daemon)) == 0;
}

int gp_log_sink_open_syslog(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* if the daemon is not there now, it is tried again with each line */
	if (fd >= 0)
		reach_daemon(fd);
	return fd;
}

void gp_log_sink_use_syslog(int fd)
{
	syslog_fd = fd;
}

static bool send_text(const char *text, size_t len)
{
	return send(syslog_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

/* As syslog(3) writes it: facility and level, local time, name and process. */
bool gp_log_sink_syslog(int level, const char *text)
{
	char line[GP_LOG_LINE_MAX + HEAD_SIZE], stamp[STAMP_SIZE];
	time_t now = time(NULL);
	struct tm tm;
	int len;

	if (syslog_fd < 0)
		syslog_fd = gp_log_sink_open_syslog();
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", localtime_r(&now, &tm));
	len = snprintf(line, sizeof(line), "<%d>%s gatepost[%d]: %s", LOG_MAIL | level, stamp,
		       (int)getpid(), text);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (send_text(line, (size_t)len))
		return true;
	/* it is full; else it was never reached, or was started anew */
	if (errno == EAGAIN || errno == ENOBUFS)
		return false;
	return reach_daemon(syslog_fd) && send_text(line, (size_t)len);
}
