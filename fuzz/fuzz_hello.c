/* SPDX-License-Identifier: MIT */
/* What a ClientHello would cost. The first byte says which keys there are and whether there is
 * DHE; then come the cipher suites and the extensions, each behind two bytes of length. */
#include "tls/hello_cost.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { DHE = 32, SECP384R1_HIGH = 0, SECP384R1_LOW = 24 };

/* A copy of the exact size, so that a sanitizer sees a read beyond its end. */
static struct gp_bytes take(const uint8_t **data, size_t *left)
{
	struct gp_bytes taken = { 0 };
	uint8_t *copy;

	if (*left < 2)
		return taken;
	taken.len = (size_t)((*data)[0] << 8 | (*data)[1]);
	*data += 2;
	*left -= 2;
	if (taken.len > *left)
		taken.len = *left;
	copy = malloc(taken.len ? taken.len : 1);
	MUST(copy != NULL);
	memcpy(copy, *data, taken.len);
	*data += taken.len;
	*left -= taken.len;
	taken.p = copy;
	return taken;
}

static bool names_p384(struct gp_bytes bytes)
{
	for (size_t i = 1; i < bytes.len; i++) {
		if (bytes.p[i - 1] == SECP384R1_HIGH && bytes.p[i] == SECP384R1_LOW)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned bits = len ? *data++ : 0;
	size_t left = len ? len - 1 : 0;
	struct gp_hello hello;
	struct gp_bytes *const parts[] = { &hello.suites,    &hello.versions,   &hello.groups,
					   &hello.key_share, &hello.signatures, &hello.chains };
	enum gp_hello_cost cost;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		*parts[i] = take(&data, &left);
	cost = gp_hello_cost(&hello, bits & (DHE - 1), bits & DHE);
	MUST(cost != GP_HELLO_EXPENSIVE_BY_CERTIFICATE ||
	     (bits & (GP_HELLO_LARGE_RSA | GP_HELLO_LARGE_EC)));
	MUST(cost != GP_HELLO_EXPENSIVE_BY_CLIENT || (bits & DHE) || names_p384(hello.groups) ||
	     names_p384(hello.key_share));
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		free((void *)(uintptr_t)parts[i]->p);
	return 0;
}
