/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_STORE_DISK_H
#define GP_TESTS_UNIT_STORE_DISK_H

#include <stdbool.h>

/* A VFS between SQLite and the real one, which sees each write and each sync. It has the name of
 * the one that lib/store asks for, and is found first. Beside each FILE it keeps FILE.synced: what
 * the file held when it was synced last, which is what a power cut must leave. */

struct disk_file {
	unsigned writes;
	unsigned syncs;
	unsigned unsynced; /* writes behind the last sync */
};

void disk_watch(void);

/* What has happened since the last call of disk_forget to all files that end in "-wal". */
struct disk_file disk_log(void);
void disk_forget(void);

/* The files of `path`, as a power cut would leave them now, become those of `left`. */
void disk_power_cut(const char *path, const char *left);

/* From now on a sync of a log waits. The descriptor is readable when one does; disk_let_sync lets it
 * and all later ones go on. */
int disk_hold_syncs(void);
void disk_let_sync(void);

/* From now on, writes to logs fail as on a full disk; or no longer. */
void disk_fill(bool full);

/* The same for syncs of logs, as on a broken disk. */
void disk_break(bool broken);

#endif
