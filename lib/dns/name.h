/* SPDX-License-Identifier: MIT */
#ifndef GP_DNS_NAME_H
#define GP_DNS_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "dns/resolver.h"

/* Names and the records that hold them. Only labels of letters, digits, hyphens and underscores are
 * names here: nothing else is a mail host, and what the DNS can hold besides would have to be
 * escaped wherever it is shown. */

/* Lower case, without the final dot. GP_OK or GP_E_SYNTAX; the root is "". */
int gp_dns_name_normalize(const char *name, char out[static GP_DNS_NAME_SIZE]);

/* From RDATA in wire form, uncompressed, which must end with the name. GP_OK or GP_E_SYNTAX. */
int gp_dns_name_parse(const uint8_t *data, size_t len, char out[static GP_DNS_NAME_SIZE]);

struct gp_dns_mx {
	uint16_t preference;
	char exchange[GP_DNS_NAME_SIZE]; /* "" for the root: the null MX of RFC 7505 */
};

struct gp_dns_srv {
	uint16_t priority, weight, port;
	char target[GP_DNS_NAME_SIZE]; /* "" for the root: not offered (RFC 2782) */
};

/* GP_OK or GP_E_SYNTAX. */
int gp_dns_mx_parse(struct gp_dns_rdata rdata, struct gp_dns_mx *mx_out);
int gp_dns_srv_parse(struct gp_dns_rdata rdata, struct gp_dns_srv *srv_out);

#endif
