/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_FETCH_WIRE_H
#define GP_POLICY_FETCH_WIRE_H

#include "base/buf.h"
#include "base/endpoint.h"
#include "mtasts/failure.h"

/* What the policy process and the fetch process say to each other, over a SOCK_SEQPACKET socket
 * pair that the supervisor holds: one message is one packet, and text.
 *
 *	request  "DOMAIN ADDRESS [ADDRESS ...]"
 *	answer   "DOMAIN FAILURE LF detail LF body"    FAILURE: enum gp_mtasts_failure
 *
 * A request that is lost with one of the processes is missed by its asker, who has a deadline. */

enum {
	GP_FETCH_WIRE_MAX = 72 * 1024,
	GP_FETCH_WIRE_ADDRESSES_MAX = 16,
	GP_FETCH_DOMAIN_SIZE = 254
};

struct gp_fetch_order {
	char domain[GP_FETCH_DOMAIN_SIZE];
	struct gp_endpoint addresses[GP_FETCH_WIRE_ADDRESSES_MAX];
	size_t count;
};

struct gp_fetch_answer {
	char domain[GP_FETCH_DOMAIN_SIZE];
	enum gp_mtasts_failure failure;
	char detail[200];
	struct gp_str body; /* part of what was decoded */
};

/* GP_OK or an error of the buffer. Line ends in a detail become blanks. */
int gp_fetch_order_encode(const struct gp_fetch_order *order, struct gp_buf *out);
int gp_fetch_answer_encode(const struct gp_fetch_answer *answer, struct gp_buf *out);

/* GP_OK or GP_E_SYNTAX. */
int gp_fetch_order_decode(struct gp_str packet, struct gp_fetch_order *order_out);
int gp_fetch_answer_decode(struct gp_str packet, struct gp_fetch_answer *answer_out);

#endif
