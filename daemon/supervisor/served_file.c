/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/served_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* ten thousand domains with a few policies each */
enum { FILE_MAX = 64 * 1024 * 1024, PATH_SIZE = 4096 };

static void path_of(const struct gp_conf *conf, const char *ending, char out[static PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s/" GP_SERVED_FILE "%s", conf->server.state_dir, ending);
}

static int read_text(const char *path, struct gp_buf *out)
{
	FILE *file = fopen(path, "re");
	char piece[4096];
	size_t n;
	int ret = GP_OK;

	if (!file)
		return errno == ENOENT ? GP_E_NOT_FOUND : GP_E_IO;
	while (ret == GP_OK && (n = fread(piece, 1, sizeof(piece), file)) > 0)
		ret = gp_buf_append(out, piece, n);
	if (ret == GP_OK && ferror(file))
		ret = GP_E_IO;
	fclose(file);
	return ret == GP_E_LIMIT ? GP_E_NOMEM : ret;
}

static int read_list(const char *path, struct gp_buf *text, struct gp_served_list *list_out)
{
	int ret = read_text(path, text);

	*list_out = (struct gp_served_list){ .items = NULL };
	return ret == GP_OK ? gp_served_parse(gp_str_from(text->data, text->len), list_out) : ret;
}

int gp_served_file_read(const struct gp_conf *conf, struct gp_served_list *list_out)
{
	char path[PATH_SIZE];
	struct gp_buf text;
	int ret;

	path_of(conf, "", path);
	gp_buf_init(&text, FILE_MAX);
	ret = read_list(path, &text, list_out);
	gp_buf_deinit(&text);
	return ret;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return GP_E_IO;
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) == 0 ? GP_OK : GP_E_IO;
}

static int write_text(const struct gp_conf *conf, const struct gp_buf *text)
{
	char path[PATH_SIZE], fresh[PATH_SIZE];
	int fd, ret;

	path_of(conf, "", path);
	path_of(conf, ".new", fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	ret = fd < 0 ? GP_E_IO : write_all(fd, text->data, text->len);
	if (fd >= 0 && close(fd) < 0)
		ret = GP_E_IO;
	if (ret == GP_OK && rename(fresh, path) < 0)
		ret = GP_E_IO;
	return ret;
}

static bool same_text(const struct gp_buf *a, const struct gp_buf *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

int gp_served_file_update(const struct gp_conf *conf, int64_t now_s)
{
	struct gp_served_list list, fresh = { .items = NULL };
	struct gp_buf before, after;
	char path[PATH_SIZE];
	int ret;

	path_of(conf, "", path);
	gp_buf_init(&before, FILE_MAX);
	gp_buf_init(&after, FILE_MAX);
	ret = read_list(path, &before, &list);
	if (ret == GP_OK || ret == GP_E_NOT_FOUND)
		ret = gp_served_from_conf(conf, &fresh);
	if (ret == GP_OK)
		ret = gp_served_update(&list, &fresh, now_s);
	if (ret == GP_OK)
		ret = gp_served_format(&list, &after);
	if (ret == GP_OK && !same_text(&before, &after))
		ret = write_text(conf, &after);
	gp_served_deinit(&list);
	gp_served_deinit(&fresh);
	gp_buf_deinit(&before);
	gp_buf_deinit(&after);
	return ret;
}
