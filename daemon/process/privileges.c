/* SPDX-License-Identifier: MIT */
#include "daemon/process/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

int gp_identity_find(const char *user, struct gp_identity *identity_out)
{
	const struct passwd *entry;

	*identity_out = (struct gp_identity){ .change = false };
	if (geteuid() != 0)
		return GP_OK;
	entry = getpwnam(user);
	if (!entry)
		return GP_E_NOT_FOUND;
	if (entry->pw_uid == 0)
		return GP_E_CONF;
	*identity_out = (struct gp_identity){ true, entry->pw_uid, entry->pw_gid };
	return GP_OK;
}

int gp_identity_assume(const struct gp_identity *identity)
{
	if (!identity->change)
		return GP_OK;
	if (setgroups(0, NULL) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
	    setresuid(identity->uid, identity->uid, identity->uid) < 0)
		return GP_E_IO;
	/* there must be no way back */
	return setuid(0) == 0 ? GP_E_IO : GP_OK;
}

int gp_privileges_reduce(void)
{
	static const unsigned kept[] = { CAP_DAC_OVERRIDE,     CAP_DAC_READ_SEARCH, CAP_KILL,
					 CAP_NET_BIND_SERVICE, CAP_SETGID,          CAP_SETUID };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3], data[_LINUX_CAPABILITY_U32S_3];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return GP_E_IO;
	if (geteuid() != 0)
		return GP_OK;
	if (syscall(SYS_capget, &header, had) < 0)
		return GP_E_IO;
	memset(data, 0, sizeof(data));
	/* the service manager may have given less (CapabilityBoundingSet), and what it did not
	 * give cannot be kept */
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		unsigned index = CAP_TO_INDEX(kept[i]);

		data[index].permitted |= CAP_TO_MASK(kept[i]) & had[index].permitted;
		data[index].effective |= CAP_TO_MASK(kept[i]) & had[index].permitted;
	}
	return syscall(SYS_capset, &header, data) == 0 ? GP_OK : GP_E_IO;
}
