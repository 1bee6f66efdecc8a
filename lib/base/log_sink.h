/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_LOG_SINK_H
#define GP_BASE_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>

/* Where lines of the log go: standard error, or syslog. Nothing here waits: when a pipe is full, a
 * terminal stopped or the log daemon slow, a line is lost and the caller is told, because a process
 * that waited would keep all its clients waiting. */

enum { GP_LOG_LINE_MAX = 4096 }; /* bytes, line end included: PIPE_BUF, so that lines never mix */

/* Give this process, and all that it starts, a standard error that does not block, without touching
 * that of the process which has started us. To be called once, before permissions are given up. */
void gp_log_sink_own_stderr(void);

/* See what standard error is: when a process begins, and when it was changed. */
void gp_log_sink_look(void);

/* False: the line is lost. */
bool gp_log_sink_stderr(const char *line, size_t len);

/* ---- syslog ---- */

/* A socket for syslog, of its own for each child, which may not open one. It is closed at exec.
 * -1 with errno. */
int gp_log_sink_open_syslog(void);

/* Use that socket, which was opened by the parent. */
void gp_log_sink_use_syslog(int fd);

/* `level` is one of syslog(3), `text` without a line end. False: it is lost. */
bool gp_log_sink_syslog(int level, const char *text);

#endif
