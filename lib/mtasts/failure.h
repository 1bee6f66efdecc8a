/* SPDX-License-Identifier: MIT */
#ifndef GP_MTASTS_FAILURE_H
#define GP_MTASTS_FAILURE_H

/* Why no policy could be had though a TXT record announces one, in the words of reports (RFC 8460
 * section 4.3.2.2). */
enum gp_mtasts_failure {
	GP_MTASTS_NO_FAILURE,
	GP_MTASTS_FETCH_ERROR,    /* unreachable, too slow, too large, not 200, a redirect */
	GP_MTASTS_INVALID,        /* a body that is no policy, or of a wrong media type */
	GP_MTASTS_WEBPKI_INVALID, /* the policy host's certificate is bad */
};

/* The result type, such as "sts-policy-invalid"; NULL for no failure. Static storage. */
const char *gp_mtasts_failure_type(enum gp_mtasts_failure failure);

#endif
