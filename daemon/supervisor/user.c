/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/user.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/err.h"
#include "daemon/supervisor/say.h"

enum { NAME_SIZE = 256 };

static int say_missing(const struct gp_conf_server *server, const char *name, bool is_own)
{
	char text[2 * NAME_SIZE + 256];

	if (is_own)
		snprintf(text, sizeof(text),
			 "user \"%s\" does not exist: create it, or set server.separate-users = "
			 "false, so that all processes run as server.user",
			 name);
	else
		snprintf(text, sizeof(text),
			 "server.user \"%s\" does not exist: create it, or name another",
			 server->user);
	gp_say(text);
	return EX_NOUSER;
}

static int say_root(const char *name, bool is_own)
{
	char text[NAME_SIZE + 128];

	snprintf(text, sizeof(text),
		 is_own ? "user \"%s\" has uid 0: gatepost does not run this process as root; give "
			  "the user another uid"
			: "server.user must not be root (\"%s\" has uid 0): name an ordinary user "
			  "such as \"gatepost\"",
		 name);
	gp_say(text);
	return EX_CONFIG;
}

int gp_user_find(const struct gp_conf_server *server, const char *suffix,
		 struct gp_identity *identity_out)
{
	bool is_own = server->separate_users && *suffix;
	char name[NAME_SIZE];
	int len = snprintf(name, sizeof(name), "%s%s", server->user, is_own ? suffix : "");
	int ret = len < NAME_SIZE ? gp_identity_find(name, identity_out) : GP_E_NOT_FOUND;

	if (ret == GP_OK)
		return EX_OK;
	if (ret != GP_E_CONF)
		return say_missing(server, name, is_own);
	return say_root(name, is_own);
}
