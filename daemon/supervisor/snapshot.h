/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_SNAPSHOT_H
#define GP_DAEMON_SUPERVISOR_SNAPSHOT_H

#include <sys/stat.h>

#include "conf/conf.h"
#include "publish/basis.h"
#include "tls/certpack.h"
#include "tls/ticket.h"

/* Everything that stands in files, read and checked at one moment: the configuration with its
 * names resolved, and the certificates. Sealed in memory, it can be handed to any worker. */

enum gp_certificate_file {
	GP_CERTIFICATE_CHAIN,
	GP_CERTIFICATE_KEY,
	GP_CERTIFICATE_OCSP,
	GP_CERTIFICATE_FILES
};

struct gp_snapshot_certificate {
	char *name;
	char *path[GP_CERTIFICATE_FILES];
	struct stat state[GP_CERTIFICATE_FILES]; /* before they were read */
	struct gp_certificate_info info;
	bool is_stale; /* its files are of no use now: this is what they held before */
};

/* What is handed to processes, each as sealed memory. */
enum gp_sealed {
	GP_SEALED_CONFIGURATION, /* all of it, for edge workers */
	GP_SEALED_CERTIFICATES,
	GP_SEALED_WEB,    /* what the web process may know: see web_settings.h */
	GP_SEALED_POLICY, /* what the policy process may know: see policy.h */
	GP_SEALED_TRUST,  /* authorities, for the fetch process */
	GP_SEALED_COUNT
};

struct gp_snapshot {
	struct gp_conf *conf;
	int fds[GP_SEALED_COUNT];                     /* by enum gp_sealed; -1: not wanted */
	struct gp_snapshot_certificate *certificates; /* in the order of the pack */
	size_t certificate_count;
	struct gp_ticket_key ticket_keys[GP_TICKET_KEYS];
	size_t ticket_key_count; /* 0: the configuration names no file */
	char **files;        /* and directories, all that were read, ended by NULL: to be watched */
	struct stat *states; /* of these, before they were read */
	size_t file_count;
	size_t file_room;
};

/* `old`: the snapshot before, which saves reading what has not changed; NULL: none. On GP_E_CONF
 * every complaint is a line in `errors`. A line in `warnings` is about a file of a directory of
 * certificates that cannot be used, which is no reason to refuse all the others. */
int gp_snapshot_load(const char *path, const struct gp_snapshot *old,
		     struct gp_snapshot **snapshot_out, struct gp_buf *errors,
		     struct gp_buf *warnings);
void gp_snapshot_free(struct gp_snapshot *snapshot);

/* The next keys of the certificates, one place for each of conf->certificates, which the caller frees
 * in any case. They are no part of the snapshot, as nothing is served with them. GP_OK, or an error
 * with a line in `errors`. */
int gp_snapshot_read_next_keys(struct gp_snapshot *snapshot, struct gp_publish_next_key **keys_out,
			       struct gp_buf *errors);

#endif
