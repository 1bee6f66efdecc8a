/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/snapshot_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

static int grow(struct gp_snapshot *snapshot)
{
	size_t room = 2 * snapshot->file_count + 16;
	char **files;
	struct stat *states;

	/* one place is for the NULL */
	if (snapshot->file_count + 1 < snapshot->file_room)
		return GP_OK;
	files = reallocarray(snapshot->files, room, sizeof(*files));
	if (!files)
		return GP_E_NOMEM;
	snapshot->files = files;
	states = reallocarray(snapshot->states, room, sizeof(*states));
	if (!states)
		return GP_E_NOMEM;
	snapshot->states = states;
	snapshot->file_room = room;
	return GP_OK;
}

int gp_snapshot_watch(struct gp_snapshot *snapshot, const char *path, struct stat *state_out)
{
	size_t count = snapshot->file_count;
	struct stat state;
	int ret = grow(snapshot);

	if (ret != GP_OK)
		return ret;
	if (stat(path, &state) < 0)
		memset(&state, 0, sizeof(state));
	if (state_out)
		*state_out = state;
	/* each setting of an included file names it */
	if (count && !strcmp(snapshot->files[count - 1], path))
		return GP_OK;
	snapshot->states[count] = state;
	snapshot->files[count] = strdup(path);
	if (!snapshot->files[count])
		return GP_E_NOMEM;
	snapshot->files[++snapshot->file_count] = NULL;
	return GP_OK;
}

static int read_open_file(int fd, struct gp_buf *out)
{
	char piece[4096];
	ssize_t n;
	int ret = GP_OK;

	while (ret == GP_OK && (n = read(fd, piece, sizeof(piece))) > 0)
		ret = gp_buf_append(out, piece, (size_t)n);
	explicit_bzero(piece, sizeof(piece));
	return ret == GP_OK && n < 0 ? GP_E_IO : ret;
}

int gp_snapshot_read_file(struct gp_snapshot *snapshot, const char *path, struct gp_buf *out,
			  struct gp_buf *errors)
{
	int fd, ret;

	gp_buf_init(out, GP_PEM_FILE_MAX);
	ret = gp_snapshot_watch(snapshot, path, NULL);
	if (ret != GP_OK)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ret = fd < 0 ? GP_E_IO : GP_OK;
	if (ret == GP_OK)
		ret = read_open_file(fd, out);
	if (ret == GP_E_IO)
		gp_buf_appendf(errors, "%s: %s\n", path, strerror(errno));
	else if (ret != GP_OK)
		gp_buf_appendf(errors, "%s: the file is larger than %d bytes\n", path,
			       GP_PEM_FILE_MAX);
	if (fd >= 0)
		close(fd);
	return ret;
}
