/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_FILE_WATCH_H
#define GP_DAEMON_SUPERVISOR_FILE_WATCH_H

#include <stdbool.h>
#include <sys/stat.h>

#include "io/loop.h"

/* Notices when one of some files has other contents: changed, replaced, or behind a symbolic link
 * that was turned elsewhere, as certbot does; and when a directory has other entries. */

struct gp_file_watch;

/* `on_change` is called shortly after a change has settled. NULL when the system cannot. */
struct gp_file_watch *gp_file_watch_new(struct gp_loop *loop, void (*on_change)(void *arg),
					void *arg);
void gp_file_watch_free(struct gp_file_watch *watch);

/* Watch these files from now on (ended by NULL; copied). `states` are what they were when they were
 * read, so that a change since then is noticed. */
void gp_file_watch_set(struct gp_file_watch *watch, char *const *paths, const struct stat *states);

/* Two looks at a path with stat(2): has nothing changed in between? */
bool gp_same_file_state(const struct stat *a, const struct stat *b);

#endif
