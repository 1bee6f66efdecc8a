/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_STATUS_H
#define GP_DAEMON_SUPERVISOR_STATUS_H

#include "base/buf.h"
#include "daemon/process/admin.h"
#include "io/loop.h"

/* control.sock: a client writes one line and reads the answer up to the end. */

struct gp_status_server;

/* `answer` fills `out` for the words of a request. */
typedef void gp_status_answer(void *arg, const char *request, struct gp_buf *out);

enum { GP_STATUS_REQUEST_MAX = 256, GP_STATUS_ANSWER_MAX = 8 << 20 };

/* Takes over the socket `fd`, which listens at `path` and answers those that `rule` permits.
 * NULL without memory. */
struct gp_status_server *gp_status_server_new(struct gp_loop *loop, int fd, const char *path,
					      const struct gp_admin_rule *rule,
					      gp_status_answer *answer, void *arg);
void gp_status_server_free(struct gp_status_server *server);

/* Ask a running gatepost, waiting for it. GP_OK, also when the answer is GP_ADMIN_REFUSED and why;
 * or GP_E_IO with errno. */
int gp_status_ask(const char *path, const char *request, struct gp_buf *answer_out);

#endif
