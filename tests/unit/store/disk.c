/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct file {
	sqlite3_file base;
	bool log;
	char path[300];
	_Alignas(sqlite3_int64) char real[];
};

static sqlite3_vfs *real_vfs, vfs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `log_file` */
static struct disk_file log_file;
static atomic_bool holding, full, broken;
static sem_t may_go;
static int waits = -1; /* an eventfd */

static sqlite3_file *real_of(sqlite3_file *file)
{
	return (void *)((struct file *)file)->real;
}

/* ---- what is watched ---- */

static void must(bool good)
{
	if (!good)
		abort();
}

static void copy_synced(struct file *file)
{
	sqlite3_file *real = real_of(&file->base);
	sqlite3_int64 size = 0;
	char path[320];
	char *data;
	FILE *copy;

	/* by the descriptor of SQLite: closing another one would drop its lock */
	must(real->pMethods->xFileSize(real, &size) == SQLITE_OK);
	data = malloc((size_t)size + 1);
	snprintf(path, sizeof(path), "%s.synced", file->path);
	copy = fopen(path, "wb");
	must(data && copy);
	must(!size || real->pMethods->xRead(real, data, (int)size, 0) == SQLITE_OK);
	must(fwrite(data, 1, (size_t)size, copy) == (size_t)size && fclose(copy) == 0);
	free(data);
}

static void wait_for_leave(void)
{
	must(eventfd_write(waits, 1) == 0);
	sem_wait(&may_go);
}

static int on_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 at)
{
	struct file *file = (struct file *)base;

	if (file->log && full)
		return SQLITE_FULL;
	if (file->log) {
		pthread_mutex_lock(&lock);
		log_file.writes++;
		log_file.unsynced++;
		pthread_mutex_unlock(&lock);
	}
	return real_of(base)->pMethods->xWrite(real_of(base), data, size, at);
}

static int on_sync(sqlite3_file *base, int flags)
{
	struct file *file = (struct file *)base;
	int ret;

	if (file->log && broken)
		return SQLITE_IOERR_FSYNC;
	if (file->log && holding)
		wait_for_leave();
	ret = real_of(base)->pMethods->xSync(real_of(base), flags);
	must(ret == SQLITE_OK);
	copy_synced(file);
	if (file->log) {
		pthread_mutex_lock(&lock);
		log_file.syncs++;
		log_file.unsynced = 0;
		pthread_mutex_unlock(&lock);
	}
	return ret;
}

/* ---- what is passed on ---- */

static int on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
	return real_of(file)->pMethods->xRead(real_of(file), data, size, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size_out)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size_out);
}

static int on_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *result_out)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result_out);
}

static int on_control(sqlite3_file *file, int operation, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, arg);
}

static int on_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **map_out)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, map_out);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_file_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_traits,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *self, const char *path, sqlite3_file *base, int flags,
		   int *flags_out)
{
	struct file *file = (struct file *)base;
	int ret;

	(void)self;
	memset(file, 0, sizeof(*file));
	ret = real_vfs->xOpen(real_vfs, path, real_of(base), flags, flags_out);
	file->log = (flags & SQLITE_OPEN_WAL) != 0;
	snprintf(file->path, sizeof(file->path), "%s", path ? path : "");
	base->pMethods = real_of(base)->pMethods ? &methods : NULL;
	return ret;
}

static int on_delete(sqlite3_vfs *self, const char *path, int sync)
{
	char copy[320];

	(void)self;
	snprintf(copy, sizeof(copy), "%s.synced", path);
	unlink(copy);
	return real_vfs->xDelete(real_vfs, path, sync);
}

/* ---- for the tests ---- */

void disk_watch(void)
{
	real_vfs = sqlite3_vfs_find("unix-excl");
	must(real_vfs);
	vfs = *real_vfs;
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	/* the default is found first */
	must(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK && sqlite3_vfs_find("unix-excl") == &vfs);
	waits = eventfd(0, EFD_CLOEXEC);
	must(waits >= 0 && sem_init(&may_go, 0, 0) == 0);
}

struct disk_file disk_log(void)
{
	struct disk_file now;

	pthread_mutex_lock(&lock);
	now = log_file;
	pthread_mutex_unlock(&lock);
	return now;
}

void disk_forget(void)
{
	pthread_mutex_lock(&lock);
	log_file = (struct disk_file){ 0 };
	pthread_mutex_unlock(&lock);
}

void disk_power_cut(const char *path, const char *left)
{
	char command[1500];

	snprintf(command, sizeof(command),
		 "cp %s.synced %s && if [ -e %s-wal.synced ]; then cp %s-wal.synced %s-wal; fi",
		 path, left, path, path, left);
	must(system(command) == 0);
}

int disk_hold_syncs(void)
{
	holding = true;
	return waits;
}

void disk_let_sync(void)
{
	holding = false;
	sem_post(&may_go);
}

void disk_fill(bool now_full)
{
	full = now_full;
}

void disk_break(bool now_broken)
{
	broken = now_broken;
}
