/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_MEMORY_H
#define GP_DAEMON_PROCESS_MEMORY_H

#include <stddef.h>

/* Memory that is handed to another process as a descriptor. */

/* A sealed, read-only copy of `data`. GP_OK or GP_E_IO. */
int gp_memory_seal(const char *name, const void *data, size_t len, int *fd_out);

/* Shared memory of `len` zero bytes, mapped writable here. GP_OK or GP_E_IO. */
int gp_memory_share(const char *name, size_t len, int *fd_out, void **map_out);

/* Another descriptor for the same memory through which it cannot be written. */
int gp_memory_reopen_read_only(int fd, int *fd_out);

enum gp_memory_use {
	GP_MEMORY_SEALED, /* what no process changes any more */
	GP_MEMORY_READ,   /* shared: another process writes */
	GP_MEMORY_WRITE   /* shared: we write, too */
};

/* Map all of it. GP_OK or GP_E_IO. An empty one maps to NULL. */
int gp_memory_map(int fd, enum gp_memory_use use, void **map_out, size_t *len_out);

#endif
