/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_CHILD_H
#define GP_DAEMON_PROCESS_CHILD_H

#include "conf/conf.h"
#include "daemon/process/control.h"
#include "daemon/process/counters.h"
#include "daemon/process/memory.h"
#include "daemon/process/sandbox.h"
#include "io/loop.h"

/* The frame of every process that the supervisor starts. One run:
 *
 *   gp_child_run     names the process, gives up core files and the terminal
 *   ops->begin       what needs files or memory before the filter
 *   gp_sandbox_enter
 *   SETUP            counters are mapped once; ops->set_up, which ends in gp_child_say_ready() or
 *                    gp_child_refuse(), now or later; a reload is the same message again
 *   DRAIN            ops->drain; also when the supervisor is gone
 *   ops->end         when the loop has stopped
 *
 * A set-up in which the supervisor sent something else than was agreed ends the process: the
 * supervisor sees that, says so and tries again. */

/* What one SETUP brought. */
struct gp_child_set_up {
	int fixed[GP_SETUP_FDS]; /* by enum gp_setup_fd; closed when set_up returns */
	const int *sockets;      /* those of this process; they are set_up's to close */
	size_t socket_count;
	struct gp_counters
		*counters;   /* all lines; written only if ops->counters is GP_MEMORY_WRITE */
	unsigned line;       /* ours */
	unsigned first_line; /* of our equals */
	unsigned end_line;   /* behind them */
};

struct gp_child_ops {
	const char *name; /* at most 15 bytes, what ps shows */
	enum gp_sandbox sandbox;
	enum gp_memory_use counters; /* GP_MEMORY_WRITE or GP_MEMORY_READ */
	size_t sockets_min;
	size_t sockets_max;

	/* GP_OK, or the process ends. */
	int (*begin)(void *arg, struct gp_loop *loop);
	int (*set_up)(void *arg, const struct gp_child_set_up *set_up);

	/* Stop within `ms`; NULL: the loop stops at once. */
	void (*drain)(void *arg, uint64_t ms);
	void (*end)(void *arg); /* NULL: nothing is left to do */
};

/* What the process does; its exit status. */
int gp_child_run(const struct gp_child_ops *ops, void *arg);

/* Answers to a set-up. */
void gp_child_say_ready(void);
void gp_child_refuse(const char *sentence);

/* Map one of set_up->fixed, which is sealed; the caller unmaps. GP_OK, or GP_E_IO, also when it is
 * empty. */
int gp_child_map(const struct gp_child_set_up *set_up, enum gp_setup_fd which, void **map_out,
		 size_t *len_out);

/* Read the configuration that a set-up brought. On GP_E_CONF or GP_E_IO a sentence is in
 * `error_out`, for gp_child_refuse(). */
int gp_child_read_conf(const struct gp_child_set_up *set_up, struct gp_conf **conf_out,
		       char error_out[static GP_CONTROL_TEXT_MAX]);

#endif
