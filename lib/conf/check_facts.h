/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_CHECK_FACTS_H
#define GP_CONF_CHECK_FACTS_H

#include "conf/conf.h"

/* Who is the client, for a backend? Without facts it is gatepost itself, whose address its
 * trusted networks may hold. */

/* An SMTP listener says how its backend learns who the client is, or says in so many words that it
 * does not. What is wrong is appended to `errors`. */
void gp_conf_check_facts(const struct gp_conf *conf, struct gp_buf *errors);

/* What the operator of IMAP, POP3 and ManageSieve listeners without facts should know: lines that
 * are no errors. */
void gp_conf_advise_facts(const struct gp_conf *conf, struct gp_buf *advice);

/* Does its backend know nothing of the client, though it may relay for the addresses it trusts? */
bool gp_conf_backend_is_blind(const struct gp_conf_listener *listener);

#endif
