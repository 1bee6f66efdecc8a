/* SPDX-License-Identifier: MIT */
#include "daemon/process/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

int gp_memory_seal(const char *name, const void *data, size_t len, int *fd_out)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return GP_E_IO;
	if (!write_all(fd, data, len) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
		close(fd);
		return GP_E_IO;
	}
	*fd_out = fd;
	return GP_OK;
}

int gp_memory_share(const char *name, size_t len, int *fd_out, void **map_out)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;

	if (fd < 0)
		return GP_E_IO;
	/* who made it shorter would kill all who have it mapped (SIGBUS) */
	if (ftruncate(fd, (off_t)len) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	*fd_out = fd;
	*map_out = map;
	return GP_OK;
fail:
	close(fd);
	return GP_E_IO;
}

int gp_memory_reopen_read_only(int fd, int *fd_out)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*fd_out = open(path, O_RDONLY | O_CLOEXEC);
	return *fd_out < 0 ? GP_E_IO : GP_OK;
}

int gp_memory_map(int fd, enum gp_memory_use use, void **map_out, size_t *len_out)
{
	struct stat st;
	int protection = use == GP_MEMORY_WRITE ? PROT_READ | PROT_WRITE : PROT_READ;
	/* older kernels refuse to share what is sealed */
	int flags = use == GP_MEMORY_SEALED ? MAP_PRIVATE : MAP_SHARED;

	if (fstat(fd, &st) < 0)
		return GP_E_IO;
	*len_out = (size_t)st.st_size;
	*map_out = NULL;
	if (!st.st_size)
		return GP_OK;
	*map_out = mmap(NULL, *len_out, protection, flags, fd, 0);
	return *map_out == MAP_FAILED ? GP_E_IO : GP_OK;
}
