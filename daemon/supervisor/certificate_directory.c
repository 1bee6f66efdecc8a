/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/certificate_directory.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"

static bool is_directory(const char *path, const struct dirent *entry)
{
	struct stat state;

	if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
		return entry->d_type == DT_DIR;
	return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

static bool take_pem(const char *path, const char *name, struct gp_directory_certificate *out)
{
	out->name = strndup(name, strlen(name) - strlen(".pem"));
	out->chain = strdup(path);
	out->key = strdup(path);
	if (asprintf(&out->ocsp, "%.*s.ocsp", (int)(strlen(path) - strlen(".pem")), path) < 0)
		out->ocsp = NULL;
	return out->name && out->chain && out->key && out->ocsp;
}

static bool take_directory(const char *path, const char *name, struct gp_directory_certificate *out)
{
	out->name = strdup(name);
	out->directory = strdup(path);
	if (asprintf(&out->chain, "%s/fullchain.pem", path) < 0)
		out->chain = NULL;
	if (asprintf(&out->key, "%s/privkey.pem", path) < 0)
		out->key = NULL;
	if (asprintf(&out->ocsp, "%s/ocsp.der", path) < 0)
		out->ocsp = NULL;
	return out->name && out->directory && out->chain && out->key && out->ocsp;
}

static void free_one(struct gp_directory_certificate *one)
{
	free(one->name);
	free(one->directory);
	free(one->chain);
	free(one->key);
	free(one->ocsp);
}

/* GP_OK, GP_E_NOT_FOUND when it is something else, or GP_E_NOMEM. */
static int look_at(const char *directory, const struct dirent *entry,
		   struct gp_directory_certificate *out)
{
	const char *name = entry->d_name;
	char path[PATH_MAX];
	bool ok;

	*out = (struct gp_directory_certificate){ .name = NULL };
	if (name[0] == '.' ||
	    snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return GP_E_NOT_FOUND;
	if (is_directory(path, entry))
		ok = take_directory(path, name, out);
	else if (strlen(name) > strlen(".pem") && gp_str_ends_nocase(gp_str_of(name), ".pem"))
		ok = take_pem(path, name, out);
	else
		return GP_E_NOT_FOUND;
	if (ok)
		return GP_OK;
	free_one(out);
	return GP_E_NOMEM;
}

static int compare(const void *a_arg, const void *b_arg)
{
	const struct gp_directory_certificate *a = a_arg, *b = b_arg;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->chain, b->chain);
}

static int read_entries(DIR *dir, const char *path, struct gp_directory_certificate **list,
			size_t *count)
{
	const struct dirent *entry;
	size_t room = 0;
	int ret = GP_OK;

	while (ret == GP_OK && (entry = readdir(dir)) != NULL) {
		struct gp_directory_certificate *larger = *list;

		if (*count == room) {
			room = room ? room * 2 : 64;
			larger = reallocarray(*list, room, sizeof(*larger));
		}
		if (!larger)
			return GP_E_NOMEM;
		*list = larger;
		ret = look_at(path, entry, &larger[*count]);
		if (ret == GP_OK)
			(*count)++;
		else if (ret == GP_E_NOT_FOUND)
			ret = GP_OK;
	}
	return ret;
}

int gp_certificate_directory_read(const char *path, struct gp_directory_certificate **list_out,
				  size_t *count_out)
{
	DIR *dir = opendir(path);
	int ret;

	*list_out = NULL;
	*count_out = 0;
	if (!dir)
		return GP_E_IO;
	ret = read_entries(dir, path, list_out, count_out);
	closedir(dir);
	if (ret != GP_OK) {
		gp_certificate_directory_free(*list_out, *count_out);
		*list_out = NULL;
		*count_out = 0;
		return ret;
	}
	if (*count_out)
		qsort(*list_out, *count_out, sizeof(**list_out), compare);
	return GP_OK;
}

void gp_certificate_directory_free(struct gp_directory_certificate *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_one(&list[i]);
	free(list);
}
