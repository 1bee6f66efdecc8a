/* SPDX-License-Identifier: MIT */
#include "daemon/process/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void gp_child_begin(const char *name)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGTERM, SIGPIPE };

	prctl(PR_SET_NAME, name);
	/* private keys must not end in a core file */
	prctl(PR_SET_DUMPABLE, 0);
	/* nobody shall type at the operator's terminal through us */
	setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
}
