/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_SAY_H
#define GP_DAEMON_SUPERVISOR_SAY_H

#include "base/buf.h"

/* To the operator who starts gatepost: a line on standard error. Later there is the log. */
void gp_say(const char *text);

/* Each line of `errors`. */
void gp_say_lines(const struct gp_buf *errors);

#endif
