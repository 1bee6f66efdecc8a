/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_SRV_H
#define GP_PUBLISH_SRV_H

/* Services that are found by SRV records, in the order in which they are to be preferred. */

struct gp_srv_row {
	int role;            /* enum gp_role */
	const char *service; /* its label, and the first part of an SRV-ID (RFC 4985) */
	unsigned priority;   /* the lower number is tried first (RFC 2782) */
	const char *why;
};

extern const struct gp_srv_row gp_srv_rows[]; /* ended by one without service */

#endif
