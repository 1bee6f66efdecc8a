/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_INQUIRY_HOSTS_H
#define GP_POLICY_INQUIRY_HOSTS_H

#include "policy/inquiry.h"

/* The part of an inquiry that asks about mail hosts: for each of them addresses, the alias if there
 * is one, and TLSA records (RFC 7672 section 2.2.2). All hosts are asked at once. */

struct gp_host_inquiries;

/* Ask about all hosts of `findings`, which must live as long, and fill them in. `done` is called when
 * the last one has ended, unless that was before this returns (gp_host_inquiries_ended). NULL
 * without memory: the hosts say that nothing could be found out. */
struct gp_host_inquiries *gp_host_inquiries_start(const struct gp_inquiry_tools *tools,
						  struct gp_findings *findings,
						  void (*done)(void *arg), void *arg);

bool gp_host_inquiries_ended(const struct gp_host_inquiries *all);

/* There is no more time: what has not come has failed. `done` is not called. */
void gp_host_inquiries_end(struct gp_host_inquiries *all);

/* Before the findings. */
void gp_host_inquiries_free(struct gp_host_inquiries *all);

/* Facts are as good as the shortest-lived answer; a failure may be asked about again soon. */
void gp_inquiry_note_ttl(struct gp_findings *findings, const struct gp_dns_answer *answer);

#endif
