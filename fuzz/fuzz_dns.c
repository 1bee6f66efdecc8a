/* SPDX-License-Identifier: MIT */
/* Names and the records that hold them, as a name server may send them. */
#include "dns/name.h"

#include <string.h>

#include "base/err.h"
#include "fuzz.h"

/* What was read is a name, and reads the same again. */
static void check_name(const char *name)
{
	char again[GP_DNS_NAME_SIZE];

	MUST(strlen(name) < GP_DNS_NAME_SIZE);
	MUST(gp_dns_name_normalize(name, again) == GP_OK);
	MUST(!strcmp(name, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_dns_rdata rdata = { data, size };
	char text[1024], name[GP_DNS_NAME_SIZE];
	struct gp_dns_mx mx;
	struct gp_dns_srv srv;

	if (gp_dns_name_parse(data, size, name) == GP_OK)
		check_name(name);
	if (gp_dns_mx_parse(rdata, &mx) == GP_OK)
		check_name(mx.exchange);
	if (gp_dns_srv_parse(rdata, &srv) == GP_OK)
		check_name(srv.target);
	if (size < sizeof(text)) {
		memcpy(text, data, size);
		text[size] = '\0';
		if (gp_dns_name_normalize(text, name) == GP_OK)
			check_name(name);
	}
	return 0;
}
