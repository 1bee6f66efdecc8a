/* SPDX-License-Identifier: MIT */
/* wire FILE...: play each script all at once and byte by byte; prints TAP. */
#include <stdio.h>

#include "play.h"

static unsigned number, failures;

static void tell(bool ok, const char *name, const char *mode, const char *path, unsigned line,
		 const char *error)
{
	printf("%sok %u - %s (%s)\n", ok ? "" : "not ", ++number, name, mode);
	if (ok)
		return;
	failures++;
	printf("# %s:%u: %s\n", path, line, error);
}

static void play_file(const char *path)
{
	static const char *const modes[] = { "whole", "byte by byte" };
	struct script script;
	char error[8192] = "";
	unsigned line = 0;
	bool readable = script_read(path, &script, error, sizeof(error));

	for (size_t mode = 0; mode < 2; mode++) {
		bool ok = readable && play_script(&script, mode == 1, &line, error, sizeof(error));

		tell(ok, readable ? script.name : path, modes[mode], path, line, error);
	}
	script_free(&script);
}

int main(int argc, char **argv)
{
	printf("1..%d\n", 2 * (argc - 1));
	for (int i = 1; i < argc; i++)
		play_file(argv[i]);
	return failures ? 1 : 0;
}
