/* SPDX-License-Identifier: MIT */
/* Replays the seeds and the old crashes of one fuzzer as a plain program: fuzz_x DIRECTORY...
 * Prints TAP, one test a file. A directory that is not there is empty. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { FILE_MAX = 1 << 20 };

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Names of the files in `directory`, in order; their number, 0 for a directory that is not there. */
static int list(const char *directory, struct dirent ***names_out)
{
	int count = scandir(directory, names_out, is_input, alphasort);

	if (count < 0)
		*names_out = NULL;
	return count < 0 ? 0 : count;
}

static void free_list(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static bool replay(const char *directory, const char *name)
{
	char path[4096];
	uint8_t *data = malloc(FILE_MAX);
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file || !data) {
		free(data);
		return false;
	}
	len = fread(data, 1, FILE_MAX, file);
	fclose(file);
	/* of the exact size, so that a sanitizer sees a read beyond its end */
	data = realloc(data, len ? len : 1);
	if (data)
		LLVMFuzzerTestOneInput(data, len);
	free(data);
	return data != NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
	struct dirent **names;
	int total = 0, number = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		int count = list(argv[i], &names);

		total += count;
		free_list(names, count);
	}
	printf("1..%d\n", total);
	for (int i = 1; i < argc; i++) {
		int count = list(argv[i], &names);

		for (int k = 0; k < count; k++) {
			bool ok = replay(argv[i], names[k]->d_name);

			failed += !ok;
			printf("%sok %d - %s/%s\n", ok ? "" : "not ", ++number, last_part(argv[i]),
			       names[k]->d_name);
			fflush(stdout);
		}
		free_list(names, count);
	}
	return failed || !total ? 1 : 0;
}
