/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SNAPSHOT_H
#define GP_DAEMON_SNAPSHOT_H

#include <sys/stat.h>

#include "conf/conf.h"
#include "tls/certpack.h"

/* Everything that stands in files, read and checked at one moment: the configuration with its
 * names resolved, and the certificates. Sealed in memory, it can be handed to any worker. */

struct gp_snapshot {
	struct gp_conf *conf;
	int conf_fd;
	int pack_fd;
	struct gp_certificate_info *certificates; /* as many as conf has */
	char **files;        /* all that were read, ended by NULL: to be watched */
	struct stat *states; /* of these files, before they were read */
	size_t file_count;
};

/* On GP_E_CONF every complaint is a line in `errors`. */
int gp_snapshot_load(const char *path, struct gp_snapshot **snapshot_out, struct gp_buf *errors);
void gp_snapshot_free(struct gp_snapshot *snapshot);

#endif
