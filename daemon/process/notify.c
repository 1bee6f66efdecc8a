/* SPDX-License-Identifier: MIT */
#include "daemon/process/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un target;
static socklen_t target_len;

void gp_notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len && len < sizeof(target.sun_path)) {
		target.sun_family = AF_UNIX;
		memcpy(target.sun_path, path, len);
		/* "@" stands for an abstract name */
		if (path[0] == '@')
			target.sun_path[0] = '\0';
		target_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	}
	unsetenv("NOTIFY_SOCKET");
}

void gp_notify(const char *state)
{
	int fd;

	if (!target_len)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&target,
	       target_len);
	close(fd);
}
